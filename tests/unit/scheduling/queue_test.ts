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
  needs(0, NO_RESOURCES, "builtin", "a"),
  needs(0, NO_RESOURCES, "module", "a"),
  needs(5, NO_RESOURCES, "x", "a"),
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

Deno.test("within one share the queue does what a sorted list would", () => {
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

/** The needs of a share's tasks, all of one lane. */
function of(share: string, kind = "builtin", priority = 0) {
  return needs(priority, NO_RESOURCES, kind, share);
}

/** Adds so many tasks; their names are the share's, from 1 on. */
function fill(queue: TaskQueue<Named>, share: string, count: number, kind?: string, priority?: number): void {
  const own = of(share, kind, priority);
  for (let i = 1; i <= count; i++) queue.addBack({ name: `${share}${i}`, place: undefined }, own);
}

interface Named extends Queued<Named> {
  readonly name: string;
}

/** Takes so many, one by one, and answers their names. */
function take(queue: TaskQueue<Named>, count: number, turnTasks = 1): string {
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    const next = queue.draw().next();
    assert.ok(next);
    queue.remove(next.task);
    queue.charge(next.share, turnTasks);
    names.push(next.task.name);
  }
  return names.join(" ");
}

Deno.test("shares of one priority take turns, whatever waits of each", () => {
  const queue = new TaskQueue<Named>();
  fill(queue, "a", 1_000);
  fill(queue, "b", 2);
  assert.equal(take(queue, 5), "a1 b1 a2 b2 a3");
});

Deno.test("shares take turns across lanes, and one with tasks in two of them has no more than the others", () => {
  const queue = new TaskQueue<Named>();
  fill(queue, "a", 4);
  fill(queue, "a", 4, "module");
  fill(queue, "b", 4, "module");
  assert.equal(take(queue, 6).replaceAll(/[0-9]/g, ""), "a b a b a b");
});

Deno.test("who comes new has its turn after those that wait, and before any has a second one", () => {
  const queue = new TaskQueue<Named>();
  fill(queue, "a", 9);
  fill(queue, "b", 9);
  assert.equal(take(queue, 2), "a1 b1");
  fill(queue, "c", 1);
  assert.equal(take(queue, 4), "a2 b2 c1 a3");
});

Deno.test("a turn of short tasks gives many, and then the others have theirs", () => {
  const queue = new TaskQueue<Named>();
  fill(queue, "a", 9);
  fill(queue, "b", 9);
  assert.equal(take(queue, 7, 3), "a1 a2 a3 b1 b2 b3 a4");
});

Deno.test("a turn that was paid for before goes first", () => {
  const queue = new TaskQueue<Named>();
  fill(queue, "a", 9);
  fill(queue, "b", 9);
  const share = queue.pin("c");
  queue.charge(share, 1);
  fill(queue, "c", 3);
  queue.prepay(share, 2);
  assert.equal(take(queue, 5), "c1 c2 a1 b1 c3");
  queue.unpin(share);
});

Deno.test("a higher priority goes before any turn", () => {
  const queue = new TaskQueue<Named>();
  fill(queue, "a", 2);
  fill(queue, "b", 2, "builtin", 1);
  assert.equal(queue.sizeAbove(0), 2);
  assert.equal(take(queue, 3), "b1 b2 a1");
});

Deno.test("the front is that of its share: it goes before its own, and not before the others' turns", () => {
  const queue = new TaskQueue<Named>();
  fill(queue, "a", 2);
  fill(queue, "b", 2);
  queue.addFront({ name: "again", place: undefined }, of("b"));
  assert.equal(take(queue, 4), "a1 again a2 b1");
});

Deno.test("a pinned share that waits for long has its old turn when something of it comes", () => {
  const queue = new TaskQueue<Named>();
  const share = queue.pin("a");
  fill(queue, "b", 3);
  take(queue, 1);
  fill(queue, "a", 1);
  assert.equal(take(queue, 2), "a1 b2");
  queue.unpin(share);
});
