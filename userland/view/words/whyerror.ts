// Error strings explained: what each means, in a sentence that is true wherever the string comes from. A
// server may say anything; what is not known here is given as its own words.

/** What a string ends with, and what it means. Longer strings first where one ends with another. */
const MEANINGS: readonly (readonly [ending: string, meaning: string])[] = [
  ["file does not exist", "The directory that was asked has no entry of that name."],
  ["directory entry not found", "The directory that was asked has no entry of that name."],
  ["dns: name does not exist", "No machine of that name is known."],
  [
    "does not exist",
    "The elements before it were walked; this one could not be: it is not there, or its directory may not be searched.",
  ],
  ["not a directory", "It is a file, and only a directory has names in it."],
  [
    "mounted directory forbids creation",
    "Nothing mounted there was mounted with leave to create (MCREATE: bind -c, mount -c).",
  ],
  [
    "permission denied",
    "Who holds the file does not allow that: its mode, its owner or its kind forbids it.",
  ],
  ["is a mount point", "Something is mounted there, and unmount is what takes it away."],
  [
    "inconsistent mount",
    "A directory goes on a directory and a file on a file, and only directories make unions.",
  ],
  [
    "create without DMDIR",
    "The name ends in '/', so it can only be created as a directory (mkdir).",
  ],
  ["file already exists", "The name is there, and it was to be made anew."],
  ["srv file already exists", "A service of that name is posted."],
  ["file exists", "Another file has that name."],
  ["directory not empty", "A directory is removed only when nothing is in it."],
  [
    "exclusive use file already open",
    "The file may be open only once at a time, and somebody has it open.",
  ],
  ["cannot exec directory", "A directory is no program."],
  ["not mounted", "Nothing is mounted on that name."],
  ["not in union", "What is to be taken off is none of the members there."],
  [
    "i/o on hungup channel",
    "The connection to the server is gone, so nothing on it can be reached.",
  ],
  ["device shut down", "Nothing stands behind that name yet, or any more."],
  ["connection refused", "The machine is there, but no service takes calls at that address."],
  ["connection timed out", "Nobody answered."],
  ["no route", "No link leads to that machine."],
  ["unknown device in # filename", "This kernel has no device of that character."],
  [
    "mount/attach disallowed",
    "That device cannot be reached by a # name, or this process may not attach devices.",
  ],
  ["empty file name", "A name has at least one letter; the directory a process is in is '.'."],
  ["file name syntax", "A device name with its argument must be shorter."],
  ["fd out of range or not open", "No file is open under that number."],
  ["inappropriate use of fd", "The file is not open for that."],
  ["bad arg in system call", "An argument is none that this call takes."],
  ["interrupted", "A note came while the call was waiting."],
  ["Killed", "The process was ended while the call was waiting."],
  ["process exited", "The process is no more."],
  ["file system full", "The server has no room left."],
  ["i/o error", "The server could not read or write its medium."],
];

/** The error string without the name in front of it. */
export function bare(error: string): string {
  return error.replace(/^'(?:[^']|'')*' /, "");
}

/** What an error string means. */
export function because(error: string): string {
  if (error.startsWith("bad character in file name"))
    return "Control characters may not be in a name.";
  const known = MEANINGS.find(([ending]) => error.endsWith(ending));
  return known?.[1] ?? `That is what the server or device itself says: "${bare(error)}".`;
}
