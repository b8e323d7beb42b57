// The package: everything that `import { ... } from "namec"` gives on Node.

import "./vmhost.ts";

export * from "../boot/index.ts";
export { hostdir, hostnet } from "./machine.ts";
