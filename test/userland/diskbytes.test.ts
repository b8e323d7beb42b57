// The bytes of the page's kept disk: writes by places, which come from a worker that runs programs.

import test from "ava";
import fc from "fast-check";
import { Diskbytes, MOST } from "../../userland/web/diskbytes.ts";

test("what is written is read at its place, whatever the order of the writes", (t) => {
  const write = fc.record({
    at: fc.nat(5000),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), fc.array(write), (begun, writes) => {
      const disk = new Diskbytes(begun.slice());
      const model: number[] = [...begun];
      for (const { at, bytes } of writes) {
        t.true(disk.write(bytes, at));
        while (model.length < at) model.push(0);
        model.splice(at, bytes.length, ...bytes);
      }
      t.is(disk.length, model.length);
      t.deepEqual(Array.from(disk.slice(0, disk.length)), model);
      const buf = new Uint8Array(100);
      const n = disk.read(buf, 40);
      t.deepEqual([...buf.subarray(0, n)], model.slice(40, 140));
    }),
  );
});

test("a write that is no place of the disk is refused, takes no memory and changes nothing", (t) => {
  const disk = new Diskbytes(Uint8Array.of(1, 2, 3));
  const byte = Uint8Array.of(9);
  for (const at of [MOST, 2 ** 40, Number.MAX_VALUE, Infinity, NaN, -1, 0.5])
    t.false(disk.write(byte, at), String(at));
  t.false(disk.write(new Uint8Array(2), MOST - 1));
  t.deepEqual(Array.from(disk.slice(0, disk.length)), [1, 2, 3]);
  t.true(disk.write(byte, MOST - 1));
  t.is(disk.length, MOST);
});
