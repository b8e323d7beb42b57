// How the name space `names` differs from the one that Plan 9 published, one question each. Ask both:
//
//     npx namec run examples/differences.ts
//     npx namec run --namespace standard examples/differences.ts

import {
  DMDIR,
  MBEFORE,
  MCREATE,
  MREPL,
  OREAD,
  RFFDG,
  RFNAMEG,
  RFPROC,
  type Sys,
  type ThreadSys,
  newram,
  postmount,
  print,
  readtext,
  serve,
  writefile,
} from "namec";

/** A directory with two others in it, and a file in each. */
async function place(sys: Sys, dir: string): Promise<void> {
  for (const name of ["", "/a", "/a/d", "/b", "/b/d", "/m"]) await mkdir(sys, dir + name);
  await writefile(sys, `${dir}/a/x`, "a's x");
  await writefile(sys, `${dir}/b/y`, "b's y");
}

async function mkdir(sys: Sys, name: string): Promise<void> {
  await sys.close(await sys.create(name, OREAD, DMDIR | 0o777));
}

/** What a call gives, as a word or two. */
async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    const value = await call;
    return typeof value === "string" ? value : "it works";
  } catch (e) {
    return (e as Error).message;
  }
}

const ram = (sys: Sys, mtpt: string) =>
  postmount(sys, (child) => newram(child, { user: "glenda", perm: 0o777 }), { mtpt });

type Question = readonly [title: string, ask: (sys: Sys, dir: string) => Promise<unknown>];

const questions: readonly Question[] = [
  [
    "is a mount seen by another name of the same directory?",
    async (sys, dir) => {
      await sys.bind(`${dir}/b`, `${dir}/m`, MREPL);
      await sys.bind(`${dir}/a`, `${dir}/m/d`, MREPL);
      return readtext(sys, `${dir}/b/d/x`);
    },
  ],
  [
    "does a mount outlive the directory it covers?",
    async (sys, dir) => {
      await sys.bind(`${dir}/a`, `${dir}/m`, MREPL);
      await sys.remove(`#R${dir}/m`);
      return readtext(sys, `${dir}/m/x`);
    },
  ],
  [
    "is a server on the way asked for permission?",
    async (sys, dir) => {
      await ram(sys, `${dir}/m`);
      for (const name of ["p", "p/q", "p/q/r"]) await mkdir(sys, `${dir}/m/${name}`);
      await sys.bind(`${dir}/a`, `${dir}/m/p/q/r`, MREPL);
      await sys.wstat(`${dir}/m/p`, { mode: DMDIR });
      return readtext(sys, `${dir}/m/p/q/r/x`);
    },
  ],
  ["must x exist in x/..?", async (sys, dir) => readtext(sys, `${dir}/nowhere/../a/x`)],
  [
    "is a mount below a union seen when a later member comes first?",
    async (sys, dir) => {
      await sys.bind(`${dir}/a`, `${dir}/m`, MREPL);
      await sys.bind(`${dir}/a`, `${dir}/m/d`, MREPL);
      await sys.bind(`${dir}/b`, `${dir}/m`, MBEFORE);
      return readtext(sys, `${dir}/m/d/x`);
    },
  ],
  [
    "which of its two words does a missing file get?",
    async (sys, dir) => {
      await sys.chdir(`${dir}/a`);
      return sys.stat("../no");
    },
  ],
  [
    "is dot still the mounted directory after an unmount?",
    async (sys, dir) => {
      await sys.bind(`${dir}/b`, `${dir}/m`, MREPL);
      await sys.chdir(`${dir}/m`);
      await sys.unmount(null, `${dir}/m`);
      return readtext(sys, "y");
    },
  ],
  [
    "can a # name be mounted upon?",
    async (sys, dir) => sys.bind(`${dir}/a`, `#R${dir}/m`, MREPL | MCREATE),
  ],
  [
    "what does fversion offer when nothing is asked for?",
    async (sys) => {
      const [mine, theirs] = await sys.pipe();
      await sys.rfork(RFPROC | RFFDG, function* (child: ThreadSys) {
        yield* child.close(mine);
        yield* serve(child, theirs, theirs, newram(child, { user: "glenda" }));
      });
      await sys.close(theirs);
      return sys.fversion(mine, 0, "");
    },
  ],
];

export default async function main(sys: Sys): Promise<void> {
  for (const [i, [title, ask]] of questions.entries()) {
    const dir = `/tmp/${i + 1}`;
    await place(sys, dir);
    await sys.rfork(RFPROC | RFNAMEG | RFFDG, async (child: Sys) => {
      await print(child, `${i + 1}. ${title}\n       ${await outcome(ask(child, dir))}\n`);
    });
    await sys.wait();
  }
}
