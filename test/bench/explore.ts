// What a schedule costs: a scene of two programs of ten calls each, of which four write one file. Time is this
// process's processor time, since the explorer never waits.

import { OWRITE, ORDWR } from "../../userland/boot/index.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { explore } from "../../userland/testing/index.ts";
import type { Machine } from "../../userland/testing/index.ts";

const BYTES = new Uint8Array(3);

const program = (name: string) =>
  async function main(sys: Sys): Promise<void> {
    const own = await sys.create(`/tmp/${name}`, ORDWR, 0o666);
    const all = await sys.open("/tmp/all", OWRITE);
    for (let i = 0; i < 4; i++) await sys.write(all, BYTES);
    for (let i = 0; i < 2; i++) await sys.write(own, BYTES);
    await sys.close(all);
    await sys.close(own);
  };

const scene = (m: Machine): Promise<unknown> =>
  Promise.all([m.run(program("a")), m.run(program("b"))]);

/** Schedules a second of processor time, in each round; a round runs so many schedules. */
export async function exploring(rounds: number, schedules: number): Promise<readonly number[]> {
  const list: number[] = [];
  for (let r = 0; r < rounds; r++) {
    const began = process.cpuUsage();
    const e = await explore(scene, { files: { tmp: { all: "" } }, brute: true, schedules });
    const { user, system } = process.cpuUsage(began);
    list.push((e.schedules + e.repeated) / ((user + system) / 1e6));
  }
  return list;
}
