// Arguments that a call does not take ("bad arg in system call"): which value it is, and what the call takes
// instead. Pure.

import {
  OCEXEC,
  OEXCL,
  ORCLOSE,
  OSTREAM,
  OTRUNC,
  RFCENVG,
  RFCFDG,
  RFCNAMEG,
  RFENVG,
  RFFDG,
  RFMEM,
  RFNAMEG,
  RFNOWAIT,
  RFPROC,
} from "../../../kernel/abi/const.ts";
import { openmode } from "./callfmt.ts";
import type { Failing } from "./failing.ts";

/** Why, and what would mend it. */
type Bad = readonly [why: string, mend: string];

/** Flags of rfork that say both to copy a group and to begin with an empty one. */
const BOTH: readonly (readonly [number, string])[] = [
  [RFFDG | RFCFDG, "RFFDG copies the descriptors and RFCFDG clears them"],
  [RFNAMEG | RFCNAMEG, "RFNAMEG copies the name space and RFCNAMEG clears it"],
  [RFENVG | RFCENVG, "RFENVG copies the environment and RFCENVG clears it"],
];

export function badarg(f: Failing, subject: string): Bad {
  const [, second, third] = f.call.args;
  switch (f.call.name) {
    case "rfork":
      return rflags(f);
    case "seek":
      return [
        `whence is ${String(third)}, and seek knows 0, 1 and 2`,
        "give 0 (from the beginning), 1 (from the offset) or 2 (from the end)",
      ];
    case "open":
    case "create":
      return mode(f, Number(second), subject);
    case "bind":
    case "mount":
      return [
        `the flags of ${f.call.text} are no order, or have a bit that is no flag`,
        "give MREPL, MBEFORE or MAFTER, and with it only MCREATE or MCACHE",
      ];
    case "write":
    case "pwrite":
      return [
        `what ${f.call.text} writes is nothing that ${subject} takes`,
        f.call.file?.endsWith("/noteid") === true
          ? "write the number of a note group that there is"
          : "read the file: it shows the form of what it takes",
      ];
    case "noted":
      return [`${String(f.call.args[0])} is no end of a handler`, "give NCONT or NDFLT"];
    default:
      return [
        `A value in ${f.call.text} is none that ${f.call.name} takes`,
        `look up what it takes: namec glossary ${f.call.name}`,
      ];
  }
}

function mode(f: Failing, bits: number, subject: string): Bad {
  const { name } = f.call;
  if (name === "open" && (bits & OEXCL) !== 0)
    return ["OEXCL is a flag of create only", "leave OEXCL out, or call create"];
  if ((bits & ~(3 | OTRUNC | OCEXEC | ORCLOSE | OEXCL | OSTREAM)) === 0)
    return [`${subject} cannot be opened ${openmode(bits)}`, "open it with OREAD"];
  return [
    `${openmode(bits)} has a bit that is no flag of ${name}`,
    "give OREAD, OWRITE, ORDWR or OEXEC, and with it only OTRUNC, OCEXEC, ORCLOSE, OEXCL or OSTREAM",
  ];
}

function rflags(f: Failing): Bad {
  const flags = Number(f.call.args[0]);
  const both = BOTH.find(([bits]) => (flags & bits) === bits);
  if (both !== undefined) return [both[1], "give one of the two"];
  if ((flags & RFPROC) === 0 && (flags & (RFMEM | RFNOWAIT)) !== 0)
    return [
      "RFMEM and RFNOWAIT are about a child, and without RFPROC there is none",
      "give RFPROC with them, to make a child",
    ];
  return [
    `${f.call.text} has a bit that is no flag of rfork`,
    "give the RF flags only: namec glossary rfork",
  ];
}
