/**
 * The books of devices: what is chosen, what is left, what never happens.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { anonymousDevices, DeviceBooks, type DeviceNeed } from "../../../shared/model/device_books.ts";

const GIB = 2 ** 30;

function books(...sizesGib: readonly (number | null)[]): DeviceBooks {
  return new DeviceBooks(sizesGib.map((gib, index) => ({
    id: `g${index}`,
    memoryBytes: gib === null ? null : gib * GIB,
  })));
}

/** Chooses and draws. */
function take(of: DeviceBooks, need: DeviceNeed): readonly string[] | undefined {
  const ids = of.choose(need);
  if (ids !== undefined) of.draw(ids, need);
  return ids;
}

Deno.test("ten tenths, three thirds and a half with two quarters each make one device", () => {
  for (const shares of [Array(10).fill(0.1), Array(3).fill(1 / 3), [0.5, 0.25, 0.25], [0.3, 0.6, 0.1]]) {
    const one = books(40);
    for (const gpus of shares) assert.deepEqual(take(one, { gpus }), ["g0"], `${gpus} of ${shares}`);
    assert.equal(one.choose({ gpus: 0.1 }), undefined);
    for (const gpus of shares) one.giveBack(["g0"], { gpus });
    assert.deepEqual(take(one, { gpus: 1 }), ["g0"]);
  }
});

Deno.test("a share goes where least is left after it, and a whole device is one of which nothing is used", () => {
  const three = books(40, 40, 40);
  assert.deepEqual(take(three, { gpus: 0.5 }), ["g0"]);
  assert.deepEqual(take(three, { gpus: 0.75 }), ["g1"]);
  assert.deepEqual(take(three, { gpus: 0.25 }), ["g1"]);
  assert.deepEqual(take(three, { gpus: 0.5 }), ["g0"]);
  assert.equal(three.choose({ gpus: 2 }), undefined);
  assert.deepEqual(three.choose({ gpus: 1 }), ["g2"]);
});

Deno.test("memory that is asked for must be known and free; without it only the share counts", () => {
  const two = books(null, 40);
  assert.deepEqual(take(two, { gpus: 0.1, gpuMemoryBytes: 24 * GIB }), ["g1"]);
  assert.equal(two.choose({ gpus: 0.1, gpuMemoryBytes: 24 * GIB }), undefined);
  assert.deepEqual(take(two, { gpus: 0.1, gpuMemoryBytes: 16 * GIB }), ["g1"]);
  assert.deepEqual(take(two, { gpus: 0.8 }), ["g1"]);
  assert.deepEqual(take(two, { gpus: 1 }), ["g0"]);
  assert.equal(two.canEver({ gpus: 2, gpuMemoryBytes: GIB }), false);
  assert.equal(two.canEver({ gpus: 2 }), true);
  assert.equal(two.canEver({ gpus: 3 }), false);
});

Deno.test("what is out of service is not chosen, and what runs there is still counted when it is back", () => {
  const two = books(40, 40);
  take(two, { gpus: 0.5 });
  two.takeOut("g0");
  two.takeOut("nobody's");
  assert.deepEqual(two.choose({ gpus: 0.5 }), ["g1"]);
  assert.equal(two.choose({ gpus: 2 }), undefined);
  assert.deepEqual([two.canEver({ gpus: 2 }), two.canInService({ gpus: 2 })], [true, false]);
  two.putBack("g0");
  assert.deepEqual(two.choose({ gpus: 0.5 }), ["g0"]);
  assert.equal(two.choose({ gpus: 2 }), undefined);
  assert.deepEqual(two.uses().map(({ used }) => used), [0.5, 0]);
});

Deno.test("more than the whole may be drawn where a worker says so: nothing is chosen until all of that is back", () => {
  const one = books(40);
  one.draw(["g0"], { gpus: 1 });
  one.draw(["g0"], { gpus: 0.5 });
  one.giveBack(["g0"], { gpus: 1 });
  assert.equal(one.choose({ gpus: 0.75 }), undefined);
  assert.deepEqual(one.choose({ gpus: 0.5 }), ["g0"]);
  one.draw(["unknown"], { gpus: 1 });
  one.giveBack(["unknown"], { gpus: 1 });
  assert.deepEqual(one.uses(), [{ id: "g0", used: 0.5, isOut: false }]);
});

Deno.test("devices without names are called by their places, and need no memory to be chosen", () => {
  const anonymous = new DeviceBooks(anonymousDevices(2));
  assert.deepEqual(anonymous.choose({ gpus: 2 }), ["0", "1"]);
  assert.equal(anonymous.choose({ gpus: 1, gpuMemoryBytes: 1 }), undefined);
  assert.deepEqual(anonymous.choose({ gpus: 0 }), []);
});

Deno.test("a copy begins as the books are, and what is drawn of it is not drawn of them", () => {
  const original = books(40, 40);
  take(original, { gpus: 0.5 });
  original.takeOut("g1");
  const copy = original.copy();
  assert.deepEqual(copy.uses(), original.uses());
  assert.deepEqual(take(copy, { gpus: 0.5 }), ["g0"]);
  assert.equal(copy.choose({ gpus: 0.5 }), undefined);
  assert.deepEqual(original.choose({ gpus: 0.5 }), ["g0"]);
});

const need = fc.record({
  gpus: fc.constantFrom(0.1, 0.25, 1 / 3, 0.5, 0.9, 1, 2),
  gpuMemoryBytes: fc.constantFrom(undefined, 8 * GIB, 30 * GIB),
});

Deno.test("whatever is chosen and given back in any order, no device is given out beyond itself", () => {
  const steps = fc.array(fc.record({ need, returns: fc.nat(10), out: fc.boolean() }), { maxLength: 60 });
  const sizes = fc.array(fc.constantFrom(null, 16, 40, 80), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(sizes, steps, (sizes, steps) => {
    const of = books(...sizes);
    const taken: { readonly ids: readonly string[]; readonly need: DeviceNeed }[] = [];
    for (const { need, returns, out } of steps) {
      if (out) of.takeOut("g0");
      else of.putBack("g0");
      const many = of.countFree(need);
      const ids = take(of, need);
      assert.equal(ids === undefined, many === 0);
      if (ids !== undefined) {
        assert.equal(new Set(ids).size, Math.ceil(need.gpus));
        assert.ok(!(out && ids.includes("g0")));
        taken.push({ ids, need });
        assert.equal(of.countFree(need) < many, true);
      }
      if (returns < taken.length) {
        const [back] = taken.splice(returns, 1);
        if (back !== undefined) of.giveBack(back.ids, back.need);
      }
      checkHeld(sizes, taken);
    }
    for (const { ids, need } of taken) of.giveBack(ids, need);
    assert.ok(of.uses().every(({ used }) => used === 0));
  }));
});

/** By adding up what is held, not by the books. */
function checkHeld(
  sizes: readonly (number | null)[],
  taken: readonly { readonly ids: readonly string[]; readonly need: DeviceNeed }[],
): void {
  for (const [index, gib] of sizes.entries()) {
    const here = taken.filter(({ ids }) => ids.includes(`g${index}`));
    const shares = here.reduce((sum, { need }) => sum + Math.min(1, need.gpus), 0);
    const bytes = here.reduce((sum, { need }) => sum + (need.gpuMemoryBytes ?? 0), 0);
    assert.ok(shares <= 1 + 1e-5, `${shares} of g${index}`);
    assert.ok(bytes === 0 || gib !== null && bytes <= gib * GIB, `${bytes} bytes of g${index}`);
    if (here.some(({ need }) => need.gpus >= 1)) assert.equal(here.length, 1);
  }
}
