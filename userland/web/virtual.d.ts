// What vite.config.js makes.

declare module "virtual:declarations" {
  /** The text of each file of declarations by its path. */
  const files: Readonly<Record<string, string>>;
  export default files;
}

declare module "virtual:kernel" {
  /** The address of the worker's script, a module. */
  export const worker: string;
  /** The address of the library of vm programs, a module. */
  export const inside: string;
  /** The address of QuickJS, WebAssembly. */
  export const quickjs: string;
}

declare module "@ts-morph/common/dist/typescript.js" {
  import { ts } from "@ts-morph/common";
  export default ts;
}
