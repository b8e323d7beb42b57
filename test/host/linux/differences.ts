// Where a file server, through Linux's v9fs, does not do what a tmpfs does, and why. Each difference is
// asserted to the letter: when one goes away, its test fails, and the entry is removed.

/** What a case writes instead, on the mounts whose names the pattern fits. */
export type Difference = {
  readonly name: string;
  readonly mounts: RegExp;
  readonly why: string;
  /** Pieces of what the case wrote on the tmpfs, and what stands here in their place. */
  readonly instead: readonly Change[];
};

/** A text, and the one that takes its place. */
export type Change = readonly [from: string, to: string];

/** What Linux calls an error string that is not in its table (net/9p/error.c). */
const UNKNOWN = "Unknown error 526";
const ALL = /./;

export const differences: readonly Difference[] = [
  {
    name: "links",
    mounts: ALL,
    why: "9P2000 has neither links nor pipes: v9fs refuses them itself",
    instead: [
      ["drwxr-xr-x - .\n", "ln: g: Operation not permitted\nln: h: Operation not permitted\n"],
      ["-rw-r--r-- 2 ./f\n", "mkfifo: p: Operation not permitted\ndrwxr-xr-x - .\n"],
      ["-rw-r--r-- 2 ./g\nlrwxrwxrwx 1 ./h\nprw-r--r-- 0 ./p\n", "-rw-r--r-- 2 ./f\n"],
    ],
  },
  {
    name: "onto",
    mounts: /^exportfs-loose$/,
    why: "a wstat to a name that exists is an error (stat(5)); v9fs does not remove that file first",
    instead: [["f\n0\nh\n", "mv: can't rename 'f': File exists\ng\n1\ng\nf\n"]],
  },
  {
    name: "refused",
    mounts: ALL,
    why: "Plan 9's string for a directory with entries is not in Linux's table",
    instead: [["rmdir: 'd': Directory not empty", `rmdir: 'd': ${UNKNOWN}`]],
  },
  {
    name: "control",
    mounts: /^exportfs/,
    why: "the kernel below exportfs refuses names with control characters, as Plan 9's does",
    instead: [["0\nx\na?b\n", `sh: /cases/control: line 1: can't create a\tb: ${UNKNOWN}\n1\n`]],
  },
  {
    name: "gone",
    mounts: ALL,
    why: "a removed directory is an error to its server, where Linux shows an empty one",
    instead: [["sh: ", "ls: .: No such file or directory\nsh: "]],
  },
  {
    name: "open",
    mounts: /^(ramfs|fossil)$/,
    why: "a fid of a removed file means nothing to ramfs and fossil; with a cache Linux does not ask it",
    instead: [
      [
        "three\n",
        "sh: write error: No such file or directory\ncat: read error: No such file or directory\n",
      ],
    ],
  },
  {
    name: "two",
    mounts: /loose/,
    why: "cache=loose takes for granted that no other client changes a file that it has read",
    instead: [["one\ntwo\nd\n", "one\nd\n"]],
  },
  {
    name: "map",
    mounts: /^(ramfs|exportfs|fossil)$/,
    why: "v9fs shares mapped pages that are written with its cache only",
    instead: [["150 operations, length 194135\n", "fsx: operation 7, mmap: Invalid argument\n"]],
  },
];

/** All that the guest's kernel says meanwhile. */
export const COMPLAINTS: readonly string[] = [
  // Every mount with a cache asks for a place in it that is named after the server's address.
  "Cache volume key already in use (9p,10.0.2.2,)",
  "9pnet: p9_errstr2errno: server reported unknown error directory not empty",
  "9pnet: p9_errstr2errno: server reported unknown error bad character in file name",
  "reboot: Power down",
];
