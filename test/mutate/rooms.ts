// Which tests belong to which room, for the mutation run. The first test that fails has killed a mutant; those
// that live through the tests near to them meet the wider ones.

/** Files whose compiled names begin with `files`, the tests near to them, and others that use them. */
export type Room = {
  readonly files: string;
  readonly near: readonly string[];
  readonly wider: readonly string[];
};

const SIMULATOR = "test/kernel/random.test.ts";

/** The rooms, the more special first. */
export const ROOMS: readonly Room[] = [
  {
    files: "kernel/proc/note",
    near: ["test/syscalls/note.test.ts", "test/devices/procctl.test.ts"],
    wider: [
      "test/syscalls/*.test.ts",
      "test/kernel/proc.test.ts",
      "test/kernel/sched.test.ts",
      "test/devices/interrupt.test.ts",
      "test/devices/proc.test.ts",
      "test/userland/vm.test.ts",
      SIMULATOR,
    ],
  },
  {
    files: "kernel/names/",
    near: ["test/kernel/name*.test.ts", "test/kernel/standard.test.ts", "test/syscalls/ns.test.ts"],
    wider: [
      "test/syscalls/*.test.ts",
      "test/kernel/wstat.test.ts",
      "test/kernel/deep.test.ts",
      "test/kernel/rtt.test.ts",
      "test/kernel/proc.test.ts",
      "test/kernel/stream.test.ts",
      "test/devices/later.test.ts",
      "test/devices/mnt*.test.ts",
      "test/devices/mem.test.ts",
      "test/devices/srv.test.ts",
      "test/userland/newns.test.ts",
      "test/userland/recording.test.ts",
      SIMULATOR,
    ],
  },
  {
    files: "devices/mnt/cache",
    near: ["test/devices/mntcache.test.ts"],
    wider: ["test/devices/*.test.ts", "test/kernel/rtt.test.ts", SIMULATOR],
  },
  {
    files: "devices/mnt/",
    near: [
      "test/devices/mnt*.test.ts",
      "test/devices/later.test.ts",
      "test/devices/frames.test.ts",
      "test/devices/flushes.test.ts",
      "test/kernel/stream*.test.ts",
    ],
    wider: [
      "test/devices/*.test.ts",
      "test/kernel/rtt.test.ts",
      "test/kernel/standard.test.ts",
      "test/userland/recording.test.ts",
      SIMULATOR,
    ],
  },
  {
    files: "userland/lib/9p/",
    near: ["test/userland/9p*.test.ts", "test/userland/ramfs.test.ts"],
    wider: ["test/userland/export*.test.ts", "test/devices/*.test.ts", SIMULATOR],
  },
  {
    files: "userland/lib/export",
    near: ["test/userland/export*.test.ts"],
    wider: ["test/userland/9p*.test.ts", "test/kernel/stream.test.ts", SIMULATOR],
  },
  {
    files: "userland/lib/ram",
    near: ["test/userland/ramfs.test.ts"],
    wider: ["test/userland/9p*.test.ts", "test/devices/mnt.test.ts", SIMULATOR],
  },
  {
    files: "userland/lib/fossil/srv",
    near: ["fossil", "served", "clients", "tree", "shorten"].map(
      (n) => `test/userland/fossil/${n}.test.ts`,
    ),
    wider: ["test/userland/fossil/*.test.ts", "test/userland/replace.test.ts", SIMULATOR],
  },
];
