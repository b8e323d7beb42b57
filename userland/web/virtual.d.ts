// What vite.config.js makes.

declare module "virtual:declarations" {
  /** The text of each file of declarations by its path. */
  const files: Readonly<Record<string, string>>;
  export default files;
}

declare module "virtual:quickjs" {
  /** The address of QuickJS's WebAssembly. */
  export const wasm: string;
  /** The modules of the library of vm programs, by their names. */
  export const library: Readonly<Record<string, string>>;
}

declare module "@ts-morph/common/dist/typescript.js" {
  import { ts } from "@ts-morph/common";
  export default ts;
}
