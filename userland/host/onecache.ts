// A step of npm run build: runs the one file of rc once, and keeps what V8 compiled of it.

import { writeFileSync } from "node:fs";
import { parse } from "./command.ts";
import { CACHE, loadone } from "./one.ts";

const { rc, script } = loadone();
const status = await rc.run(parse(rc, ["-c", "x=`{echo a | cat}; ~ $x a"]));
if (status === 0) writeFileSync(CACHE, script.createCachedData());
process.exit(status);
