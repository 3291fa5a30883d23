import assert from "node:assert/strict";
import fc from "fast-check";
import { needs, type Place, type Queued, TaskQueue } from "../../../master/scheduling/queue.ts";
import { NO_RESOURCES } from "../../../shared/model/resources.ts";

interface Item extends Queued<Item> {
  readonly name: number;
  readonly lane: number;
  place: Place<Item> | undefined;
}

/** Three lanes: two of one priority, one above them. */
const LANES = [
  needs(0, NO_RESOURCES, "builtin"),
  needs(0, NO_RESOURCES, "module"),
  needs(5, NO_RESOURCES, "x"),
];
const ITEMS = 12;

const step = fc.record({
  kind: fc.constantFrom("front", "back", "remove", "take"),
  item: fc.nat(ITEMS - 1),
  blocked: fc.nat(7),
});

/** The same rules over a plain list: all that waits, in order; lanes decide only about priority. */
class Model {
  list: Item[] = [];

  first(blocked: number): Item | undefined {
    const open = this.list.filter((item) => (blocked >> item.lane & 1) === 0);
    const top = Math.max(...open.map((item) => LANES[item.lane]?.priority ?? 0));
    return open.find((item) => LANES[item.lane]?.priority === top);
  }

  remove(item: Item): void {
    this.list = this.list.filter((each) => each !== item);
  }
}

function lane(item: Item) {
  const found = LANES[item.lane];
  assert.ok(found);
  return found;
}

Deno.test("the queue does what a sorted list would", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const items = Array.from(
      { length: ITEMS },
      (_, name): Item => ({ name, lane: name % 3, place: undefined }),
    );
    const queue = new TaskQueue<Item>();
    const model = new Model();
    for (const { kind, item: index, blocked } of steps) {
      const item = items[index];
      assert.ok(item);
      const waits = item.place !== undefined;
      if (kind === "front" && !waits) {
        queue.addFront(item, lane(item));
        model.list.unshift(item);
      } else if (kind === "back" && !waits) {
        queue.addBack(item, lane(item));
        model.list.push(item);
      } else if (kind === "remove") {
        queue.remove(item);
        model.remove(item);
      } else if (kind === "take") {
        const draw = queue.draw();
        for (const [number, each] of LANES.entries()) if ((blocked >> number & 1) === 1) draw.block(each);
        const next = draw.next()?.task;
        assert.equal(next?.name, model.first(blocked)?.name);
        if (next !== undefined) {
          queue.remove(next);
          model.remove(next);
        }
      }
      assert.equal(queue.size, model.list.length);
      assert.deepEqual(
        new Set([...queue].map((each) => each.name)),
        new Set(model.list.map((each) => each.name)),
      );
    }
  }));
});

Deno.test("what left the queue is not kept by it", () => {
  const queue = new TaskQueue<Item>();
  const items = Array.from({ length: 100 }, (_, name): Item => ({ name, lane: 0, place: undefined }));
  for (const item of items) queue.addBack(item, lane(item));
  for (const item of items.slice(1)) queue.remove(item);
  assert.deepEqual([...queue].map((each) => each.name), [0]);
  assert.equal(items[0]?.place?.after, undefined);
});

Deno.test("a task cannot wait twice", () => {
  const queue = new TaskQueue<Item>();
  const item: Item = { name: 1, lane: 0, place: undefined };
  queue.addBack(item, lane(item));
  assert.throws(() => queue.addFront(item, lane(item)), /twice/);
});
