import assert from "node:assert/strict";
import { Fifo } from "../../../shared/actor/fifo.ts";

Deno.test("a queue gives back what was put into it in the same order, however it grows and wraps", () => {
  const queue = new Fifo<number>();
  let next = 0, expected = 0;
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < round % 17; i++) queue.put(next++);
    for (let i = 0; i < round % 13; i++) if (queue.length > 0) assert.equal(queue.take(), expected++);
  }
  while (queue.length > 0) assert.equal(queue.take(), expected++);
  assert.equal(expected, next);
});

Deno.test("an empty queue gives nothing, and undefined is an item like others", () => {
  const queue = new Fifo<string | undefined>();
  assert.equal(queue.take(), undefined);
  assert.equal(queue.length, 0);
  queue.put(undefined);
  assert.equal(queue.length, 1);
  assert.equal(queue.take(), undefined);
  assert.equal(queue.length, 0);
});

Deno.test("a queue that was cleared, or long and emptied, goes on", () => {
  const queue = new Fifo<number>();
  for (let i = 0; i < 5_000; i++) queue.put(i);
  for (let i = 0; i < 5_000; i++) assert.equal(queue.take(), i);
  queue.put(1);
  queue.clear();
  assert.equal(queue.length, 0);
  queue.put(2);
  assert.equal(queue.take(), 2);
});
