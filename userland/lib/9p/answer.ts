// What to do with answers that may take time: the kernel and the library have the same functions for it.

export { always, andthen, istask } from "../../../kernel/abi/answer.ts";
