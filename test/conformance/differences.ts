// Where we answer otherwise than the recorded kernels. In the name space `names` that is on purpose, and the numbers
// are those of the documented differences (README, "Names"); in `standard` there are none.
//
//	4  x/.. is cleaned away before anybody is asked whether x exists
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

/** The differences of each script, in the order that they occur. */
type Differences = Readonly<Record<string, readonly Difference[]>>;

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
};
