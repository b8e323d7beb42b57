// Arguments that throw wherever the kernel looks at them: a native program may give its array of bytes a length of its
// own, or take the memory of the array away. To look for that costs each call something, so the trap asks here only
// when a call has thrown what is no PlanError: is it the program's mistake, or ours?

const Typed: object = Object.getPrototypeOf(Uint8Array.prototype) as object;

/** What the language itself says of an array, whatever properties that has. */
function getter(name: string): (v: object) => unknown {
  const row = Object.getOwnPropertyDescriptor(Typed, name) ?? {};
  const get = Reflect.get(row, "get") as (this: object) => unknown;
  return (v) => Reflect.apply(get, v, []);
}
const bufferof = getter("buffer");

/** Whether an argument is bytes, or words, that are not as the language makes them. */
export function spoilt(args: readonly unknown[]): boolean {
  return args.some((v) => {
    if (!ArrayBuffer.isView(v)) return false;
    try {
      return odd(v);
    } catch {
      return true;
    }
  });
}

function odd(v: ArrayBufferView): boolean {
  const proto: unknown = Object.getPrototypeOf(v);
  if (proto !== Uint8Array.prototype && proto !== Int32Array.prototype) return true;
  if (Reflect.ownKeys(v).some((key) => typeof key !== "string" || !/^\d+$/.test(key))) return true;
  const buffer = bufferof(v);
  if (!(buffer instanceof ArrayBuffer) || Reflect.get(buffer, "resizable") === true) return true;
  // A buffer that was transferred throws here.
  return new Uint8Array(buffer).length < 0;
}

/** The why of such an argument's error. */
export const SPOILT =
  "An array among the arguments has properties of its own, or its memory is shared, resizable or gone. Give a plain Uint8Array.";
