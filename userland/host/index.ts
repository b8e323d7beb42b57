// The package: everything that `import { ... } from "namec"` gives on Node.

export * from "../boot/index.ts";
export { hostdir, hostnet } from "./machine.ts";
