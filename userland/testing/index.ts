// The test kit: what `import { ... } from "namec/testing"` gives, for any test runner.
//
//	const m = await machine();
//	const far = await m.server("far", { rtt: "50ms", files: { usr: { ken: "hello" } } });
//	const r = await m.run((sys) => readtext(sys, "/n/far/usr/ken").then(() => {}));
//	expect(r.call("open")).trips(1).sends("Twalk usr/ken", "Topen").time("50ms");
//	await m.end(); // throws if anything is left, here or there

export { machine, Machine } from "./machine.ts";
export type { Machineopts } from "./machine.ts";
export type { Prepare, Runopts } from "./runner.ts";
export type { Limitopts } from "./limits.ts";
export { everyfault } from "./everyfault.ts";
export type { Everydone, Everykind, Everyopts, Faultscene } from "./everyfault.ts";
export { fossil } from "../boot/net.ts";
export { Server } from "./server.ts";
export type { Serveropts } from "./server.ts";
export { Call, Run } from "./run.ts";
export type { Message } from "./run.ts";
export { Expectcall, Expectrun, expect } from "./expect.ts";
export type { Most, Want } from "./expect.ts";
export { Failure } from "./failure.ts";
export type { Failed } from "./failure.ts";
export { explore, replay } from "./explore.ts";
export type { Exploreopts, Replayed, Scene } from "./explore.ts";
export type { Covered, Explored, Failing, Fault, Faultkind, Outcome } from "../explore/explored.ts";
export type { Progress } from "../explore/explorer.ts";
export type { Files } from "./files.ts";
