// The package's test kit on Node: everything that `import { ... } from "namec/testing"` gives, and the host's side of
// programs with a memory of their own.

import "./vmhost.ts";

export * from "../testing/index.ts";
