// Where we answer otherwise than the recorded kernels. In the name space `names` that is on purpose, and the numbers
// are those of the documented differences (README, "Names"); in `standard` there are none.
//
//	4  x/.. is cleaned away before anybody is asked whether x exists
//	7  dot is the directory its name led to, and stays so after an unmount
//	8  # names cannot be mounted upon; the descriptor that the standard kernel's mount takes stays open
//	9  fversion with "" offers 9P2000.ix.stream, where the standard kernel offers 9P2000
//
// A conformance test fails for a difference that is not here, and for one here that does not occur.

/** A command whose answer differs, and what it answers; null for what is not worth knowing. */
export type Difference = {
  readonly cmd: string;
  readonly got: readonly string[] | null;
  /** Which documented difference it is; 0 when it is only another machine: its memory, its ticks. */
  readonly number: number;
};

const IX = ['  = 16 "9P2000.ix.stream"'];

const INCONSISTENT = ['  = -1 "inconsistent mount"'];

/** The differences of each script, in the order that they occur. */
export type Differences = Readonly<Record<string, readonly Difference[]>>;

const STATUS: Difference = { cmd: "cat /proc/$f/status", got: null, number: 0 };

export const standard: Differences = { "08-pipe": [STATUS] };

export const names: Differences = {
  "01-names": [
    { cmd: "open f/.. OREAD", got: ["  = FD"], number: 4 },
    { cmd: "open /tmp/nonexist/../f OREAD", got: ["  = FD"], number: 4 },
    { cmd: "open /tmp/f/../f OREAD", got: ["  = FD"], number: 4 },
  ],
  "08-pipe": [STATUS],
  "12-mount": [
    { cmd: "fversion $s 0 ''", got: IX, number: 9 },
    { cmd: "fversion $s 0 9P2000", got: IX, number: 9 },
    { cmd: "fversion $s 100000 9P2000", got: IX, number: 9 },
  ],
  "30-mount2": [
    { cmd: "mount $s -1 '#s' MREPL ''", got: INCONSISTENT, number: 8 },
    { cmd: "mount $s -1 '#c/null' MREPL ''", got: INCONSISTENT, number: 8 },
    {
      cmd: "mount $s -1 nosuch MREPL ''",
      got: ["  = -1 \"'nosuch' file does not exist\""],
      number: 8,
    },
    { cmd: "mount $s -1 m MCACHE ''", got: ["  = MNTID"], number: 8 },
    { cmd: "ls .", got: ["  = 2 [last y]"], number: 7 },
  ],
};

const SHORT = ['  = -1 "i/o count too small"'];
/** The bits of the mode are in the qid, as stat(5) has it; the recorded server leaves them out. */
const qidbits = (cmd: string, name: string, mode: string, bits: string): Difference => ({
  cmd,
  got: [
    `  = ok   name=${name} uid=glenda gid=glenda muid=glenda mode=${mode} qid=(* * ${bits}) len=0 type=M(0x4d) dev=*`,
  ],
  number: 0,
});

/**
 * To an async program, in the name space `names`: what it does after a call, it does when it gets its turn, so
 * lines of two processes may come in another order.
 */
export const asyncs: Differences = {
  ...names,
  "26-notes2": [
    {
      cmd: "postnote proc $f 'one two  three'",
      got: ['  NOTE "one two  three"', "  = 0"],
      number: 0,
    },
  ],
  "28-pipe2": [
    { cmd: "close $b", got: ['  NOTE "sys: write on closed pipe pc=*"', "  = 0"], number: 0 },
    { cmd: "sleep 100", got: ['  = -1 "i/o on hungup channel"'], number: 0 },
  ],
};

/**
 * With a fossil as /tmp, in the name space `names`. A directory is opened to be read only; an entry that does not
 * fit is an error and no end; and its console is in /srv.
 */
export const fossil: Differences = {
  ...names,
  "03-create": [
    ...["nd1 OWRITE", "nd2 ORDWR", "nd3 OEXEC"].map((nd) => ({
      cmd: `create ${nd} DMDIR|0777`,
      got: [`  = -1 "'${nd.slice(0, 3)}' permission denied"`],
      number: 0,
    })),
    { cmd: "ls .", got: ["  = 9 [d/ f noperm ro x755 rcd/ ex nex nd4/]"], number: 0 },
    qidbits("fstat $d", "p4", "-a-664(0x400001b4)", "40"),
    // Behind what cat prints stands the next command, with the number of its descriptor.
    { cmd: "cat p4", got: null, number: 0 },
    qidbits("fstat $e", "p5", "--l664(0x200001b4)", "20"),
    qidbits("stat p7", "p7", "---775t(0x40001fd)", "4"),
  ],
  "07-fds": ["10", "40", "66", "10"].map((n) => ({ cmd: `dread $d ${n}`, got: SHORT, number: 0 })),
  "10-rfork": [{ cmd: "ls /srv", got: ["  = 3 [ramtest fscons boot]"], number: 0 }],
};
