// The commands, as a person at a terminal sees them: what they print, and their status.

import test, { type ExecutionContext } from "ava";
import type { Booted } from "../../kernel/boot.ts";
import { RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { bin } from "../../userland/bin/index.ts";
import { print } from "../../userland/lib/io.ts";
import { tokenize } from "../../kernel/abi/quote.ts";
import { run, within } from "../kit/kit.ts";

/** Runs the lines of a script, one command a line, and gives all that was printed; "! status" after a failure. */
async function script(k: Booted, lines: string): Promise<string> {
  const { output } = await run(k, async (sys: Sys) => {
    for (const line of lines.split("\n")) {
      const argv = tokenize(line);
      const [name] = argv;
      if (name === undefined) continue;
      await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
        await s.exec(`/bin/${name}`, argv);
      });
      const { msg } = await sys.wait();
      if (msg !== "") await print(sys, `! ${msg.replace(/^(\w+) \d+/, "$1")}\n`);
    }
  });
  return output;
}

/** A script, and what it prints. */
function prints(lines: string, want: string): (t: ExecutionContext) => Promise<void> {
  return within(
    async (t, k) => {
      t.is(await script(k, lines), want);
    },
    { files: { bin, usr: { f: "one two\nthree ☺\n", g: "g\n", d: { x: "x" } } } },
  );
}

test("echo prints its words", prints("echo a 'b  c'\necho -n x\necho", "a b  c\nx\n"));

test(
  "cat copies files and says what it cannot open",
  prints(
    "cat /usr/g /usr/g\ncat /fd/9\ncat /usr/g /nope /usr/g",
    "g\ng\ncat: can't open /fd/9: '/fd/9' file does not exist\n" +
      "! cat: can't open /fd/9: '/fd/9' file does not exist\n" +
      "g\ncat: can't open /nope: '/nope' file does not exist\n" +
      "! cat: can't open /nope: '/nope' file does not exist\n",
  ),
);

test(
  "cat of a directory is an error, but of an empty one nothing",
  prints(
    "mkdir /tmp/e\ncat /usr\ncat /tmp/e\ncat /dev/null",
    "cat: error reading /usr: file is a directory\n! cat: error reading /usr: file is a directory\n",
  ),
);

test(
  "ls lists names, directories, and long lines",
  prints(
    "ls /usr\nls -p /usr\nls -d /usr\nls -lp /usr\nls /nope\nls -r /usr/f /usr/g\nls -x",
    "/usr/d\n/usr/f\n/usr/g\nd\nf\ng\n/usr\n" +
      "d-rwxrwxr-x R 0 glenda glenda  0 Jan  1 00:00 d\n" +
      "--rw-rw-r-- R 0 glenda glenda 18 Jan  1 00:00 f\n" +
      "--rw-rw-r-- R 0 glenda glenda  2 Jan  1 00:00 g\n" +
      "ls: /nope: '/nope' file does not exist\n! ls: errors\n" +
      "/usr/g\n/usr/f\nusage: ls [-dlmnpqrstuFQT] [file ...]\n! ls: usage\n",
  ),
);

test(
  "wc counts lines, words and bytes",
  prints(
    "wc /usr/f\nwc -r /usr/f\nwc -l /usr/f /usr/g\nwc /nope",
    "      2       4      18 /usr/f\n     16 /usr/f\n      2 /usr/f\n      1 /usr/g\n      3 total\n" +
      "/nope: '/nope' file does not exist\n! wc: can't open\n",
  ),
);

test(
  "a file is not copied onto itself, nor a directory as a file, whatever copies and by whatever name",
  prints(
    `cp /usr/f /usr/f
fcp /usr/f /usr/f
mv /usr/f /usr/f
touch /tmp/other
bind /usr/f /tmp/other
cp /usr/f /tmp/other
fcp /tmp/other /usr/f
mv /usr/f /tmp/other
cp /usr/d /tmp/x
fcp /usr/d /tmp/x
fcp /usr/f /usr/d
cat /usr/f
ls /tmp
`,
    `cp: /usr/f and /usr/f are the same file
! cp: errors
fcp: /usr/f and /usr/f are the same file
! fcp: errors
mv: /usr/f and /usr/f are the same
! mv: failure
cp: /usr/f and /tmp/other are the same file
! cp: errors
fcp: /tmp/other and /usr/f are the same file
! fcp: errors
mv: /usr/f and /tmp/other are the same
! mv: failure
cp: /usr/d is a directory
! cp: errors
fcp: /usr/d is a directory
! fcp: errors
one two
three ☺
/tmp/other
`,
  ),
);

test(
  "mkdir, touch, cp, mv and rm change the tree",
  prints(
    `mkdir /tmp/a /tmp/a/b
mkdir /tmp/a
mkdir /no/a
mkdir -p /tmp/a/b/c/d
touch /tmp/a/t
cp /usr/f /tmp/a/f
cp /usr/f /usr/g /tmp/a/b
cp /usr/nope /tmp
cp /usr /tmp
cp /usr/f /usr/f
cp /usr/f /usr/g /tmp/a/f
mv /tmp/a/f /tmp/a/h
mv /tmp/a/h /tmp/a/b
mv /tmp/a/nope /tmp
ls /tmp/a /tmp/a/b
cat /tmp/a/b/h
rm /tmp/a
rm -f /tmp/a
rm /tmp/nope
rm -r /tmp/a
ls /tmp
`,
    `mkdir: /tmp/a already exists
! mkdir: error
mkdir: can't create /no/a: '/no' file does not exist
! mkdir: error
cp: can't stat /usr/nope: '/usr/nope' does not exist
! cp: errors
cp: /usr is a directory
! cp: errors
cp: /usr/f and /usr/f are the same file
! cp: errors
cp: /tmp/a/f not a directory
! cp: bad usage
mv: can't stat /tmp/a/nope: '/tmp/a/nope' does not exist
! mv: failure
/tmp/a/b
/tmp/a/t
/tmp/a/b/c
/tmp/a/b/f
/tmp/a/b/g
/tmp/a/b/h
one two
three ☺
rm: /tmp/a: directory not empty
! rm: directory not empty
rm: /tmp/nope: '/tmp/nope' does not exist
! rm: '/tmp/nope' does not exist
`,
  ),
);

test(
  "servers are mounted, bound, shown and unmounted",
  prints(
    `ramfs -S x
mount -c /srv/x /tmp
touch /tmp/new
bind -a /usr/d /tmp
ls -p /tmp
unmount /usr/d /tmp
ls -p /tmp
unmount /tmp
unmount /tmp
bind /nope /tmp
bind -ab /usr /tmp
mount /srv/nope /tmp
mount /usr/f /tmp
ls /srv
ramfs -S x
ramfs -z
`,
    `new
x
new
unmount: /tmp: not mounted
! unmount: /tmp: not mounted
bind: /nope: '/nope' file does not exist
! bind: bind
usage: bind [-b|-a|-c|-bc|-ac] new old
! bind: usage
mount: can't open /srv/nope: '/srv/nope' file does not exist
! mount: open
mount: mount /tmp: EOF receiving fversion reply
! mount: mount
/srv/x
ramfs: '#s/x' srv file already exists
! ramfs: '#s/x' srv file already exists
usage: ramfs [-i] [-m mountpoint] [-psu] [-S srvname] [--perm mode]
! ramfs: usage
`,
  ),
);

test(
  "a server of one's own: hellofs",
  within(
    async (t, k) => {
      const { output } = await run(k, async (sys: Sys) => {
        const exec = async (...argv: string[]): Promise<void> => {
          await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
            await s.exec(`/bin/${argv[0]}`, argv);
          });
        };
        await exec("hellofs");
        await sys.sleep(10);
        for (const line of [
          "mount /srv/hello /n",
          "ls -lp /n",
          "cat /n/hello",
          "cat /n/about/opens /n/about/opens",
        ]) {
          await exec(...line.split(" "));
          await sys.wait();
        }
        const fd = await sys.create("/n/name", 1, 0o666);
        await sys.write(fd, new TextEncoder().encode("glenda\n"));
        await sys.close(fd);
        await exec("cat", "/n/hello");
        await sys.wait();
        await exec("touch", "/n/hello");
        await sys.wait();
        await sys.remove("/srv/hello");
      });
      t.is(
        output,
        `d-r-xr-xr-x M 1 none none 0 Jan  1  1970 about
--r--r--r-- M 1 none none 0 Jan  1  1970 hello
--rw-rw-rw- M 1 none none 0 Jan  1  1970 name
hello, world
opened 1 times
opened 2 times
hello, glenda
touch: /n/hello: cannot wstat: wstat prohibited
`,
      );
    },
    { files: { bin } },
  ),
);

test(
  "ns, pwd, date, sleep, ps and kill say and do what they should",
  within(
    async (t, k) => {
      const out = await script(
        k,
        "pwd\ndate 0\nsleep 2\nsleep x\nns\nps\nkill nothing\nkill 99999\nkill\ndate x\ndate -n",
      );
      t.regex(out, /^\/\nThu Jan {2}1 00:00:00 GMT 1970\nbind/);
      t.regex(out, /\nbind -c '#e' \/env \n(.*\n)*cd \/\n/);
      t.regex(out, /\nglenda +\d+ +\d+:\d\d +\d+:\d\d +\d+K \w+ +ps\n/);
      t.regex(out, /kill: 99999: '\/proc\/99999' file does not exist\n! kill: errors\nusage: kill/);
      t.regex(out, /\nThu Jan {2}1 00:00:00 GMT 1970\n\d+\n$/);
    },
    { files: { bin } },
  ),
);
