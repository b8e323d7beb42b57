// Where this rc and these commands answer otherwise than the recorded ones, on purpose, and why.

/** Scripts by file and name, with the reason. */
export const EXPECTED: Readonly<Record<string, string>> = {
  "02-lists.json 30-list-newlines": "a list in parentheses may go on over several lines",
  "04-backquote.json 04-separator-newline": "a backquote may be given its separators",
  "04-backquote.json 06-separator-list": "a backquote may be given its separators",
  "04-backquote.json 07-separator-var": "a backquote may be given its separators",
  "06-here.json 09-in-block": "a here document may be inside a block",
  "06-here.json 10-in-function": "a here document may be inside a block",
  "10-functions.json 09-whatis-word-forms": "a backquote may be given its separators",
  "14-flags.json 37-p-flag": "there is no program leak",
  "16-ifs-prompt.json 09-prompt-one": "a list in parentheses may go on over several lines",
  "33-system.json 26-kill-none": "there is a kill; the recorded machine had none by accident",
};
