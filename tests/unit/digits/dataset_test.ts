import assert from "node:assert/strict";
import {
  CLASSES,
  type Dataset,
  join,
  parseDigits,
  PIXELS,
  readDigits,
  splitDigits,
} from "../../../examples/digits/dataset.ts";

Deno.test("the file holds 1,797 digits of 64 pixels from 0 to 1", async () => {
  const digits = await readDigits();
  assert.equal(digits.count, 1797);
  assert.equal(digits.images.length, 1797 * PIXELS);
  assert.equal(digits.labels.length, 1797);
  assert.deepEqual([...digits.labels.subarray(0, 5)], [0, 1, 2, 3, 4]);
  assert.equal(Math.min(...digits.images), 0);
  assert.equal(Math.max(...digits.images), 1);
});

Deno.test("each digit is in exactly one part of the split", () => {
  const { train, validation, test } = splitDigits(numbered(500));
  const rows = [train, validation, test].flatMap(rowsOf).toSorted((a, b) => a - b);
  assert.deepEqual(rows, Array.from({ length: 500 }, (_, row) => row));
});

Deno.test("an image keeps its label through the split", () => {
  for (const part of Object.values(splitDigits(numbered(500)))) {
    assert.deepEqual([...part.labels], rowsOf(part).map((row) => row % CLASSES));
  }
});

Deno.test("each class gives 60, 20 and 20 per cent of its digits to the parts", async () => {
  const digits = await readDigits();
  const split = splitDigits(digits);
  for (let label = 0; label < CLASSES; label++) {
    const all = countOf(digits, label);
    for (const [part, share] of [["train", 0.6], ["validation", 0.2], ["test", 0.2]] as const) {
      assert.ok(Math.abs(countOf(split[part], label) - share * all) <= 1, `${part} of ${label}`);
    }
  }
  assert.deepEqual([split.train.count, split.validation.count, split.test.count], [1078, 360, 359]);
});

Deno.test("the split is the same every time", () => {
  const first = splitDigits(numbered(500));
  assert.deepEqual(splitDigits(numbered(500)), first);
  // Results of different versions can be compared only as long as these stay.
  assert.deepEqual(rowsOf(first.test).slice(0, 5), [480, 0, 430, 220, 90]);
});

Deno.test("two parts join to one", () => {
  const { validation, test } = splitDigits(numbered(500));
  const both = join(validation, test);
  assert.equal(both.count, validation.count + test.count);
  assert.deepEqual(rowsOf(both), [...rowsOf(validation), ...rowsOf(test)]);
  assert.deepEqual([...both.labels], [...validation.labels, ...test.labels]);
});

Deno.test("a line of another form is named", () => {
  const line = [...new Array(64).fill(7), 3].join(",");
  for (const wrong of ["1,2,3", line + ",4", line.replace("7", "17"), line.replace("7", "x"), line + "3"]) {
    assert.throws(() => parseDigits(`${line}\n${wrong}\n`), /line 2 of the digits/, wrong);
  }
});

/** Images that carry the number of their row, so that it can be told where each went. */
function numbered(count: number): Dataset {
  const images = new Float64Array(count * PIXELS).map((_, i) => Math.floor(i / PIXELS));
  return { count, images, labels: new Uint8Array(count).map((_, row) => row % CLASSES) };
}

function rowsOf({ images, count }: Dataset): number[] {
  return Array.from({ length: count }, (_, place) => images[place * PIXELS] ?? NaN);
}

function countOf({ labels }: Dataset, label: number): number {
  return labels.filter((each) => each === label).length;
}
