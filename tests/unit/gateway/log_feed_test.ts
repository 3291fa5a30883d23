import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../../shared/actor/random.ts";
import { epochOf } from "../../../shared/model/ids.ts";
import { EPOCH } from "./rig.ts";
import { FeedRig, marks, numbered, type Subscriber } from "./feed_rig.ts";

/** Checks that a subscriber saw each commit's changes once and in order, and could go on after any envelope. */
function assertComplete(it: FeedRig, subscriber: Subscriber, after: number): void {
  const told = subscriber.changes.flatMap(({ changes }) => marks(changes));
  const expected = it.commits.filter(({ commit }) => commit > after).flatMap(({ changes }) => marks(changes));
  assert.deepEqual(told, expected);
  const seen = new Set<number>();
  for (const { commit, changes } of subscriber.changes) {
    for (const mark of marks(changes)) seen.add(mark);
    for (const each of it.commits) {
      if (each.commit <= after || each.commit > commit) continue;
      for (const mark of marks(each.changes)) {
        assert.ok(seen.has(mark), `${commit} was told before all of ${each.commit}`);
      }
    }
  }
}

Deno.test("a log subscriber is told of what is committed from now on, after a snapshot that says where it begins", () => {
  const it = new FeedRig();
  it.status();
  for (let index = 0; index < 5; index++) it.committed(2);
  it.world.settle();
  const tail = it.session("tail");
  it.subscribe(tail, "log");
  it.world.settle();
  assert.equal(tail.snapshots[0]?.commit, 5);
  assert.equal(tail.snapshots[0]?.epoch, EPOCH);
  for (let index = 0; index < 5; index++) it.committed(2);
  it.world.settle();
  assertComplete(it, tail, 5);
  assert.equal(it.queries, 0);
  it.world.end();
});

Deno.test("a log subscriber that knows less is served from the store, and then live", () => {
  const it = new FeedRig();
  it.status();
  for (let index = 0; index < 5_000; index++) it.committed(1);
  const tail = it.session("tail");
  it.subscribe(tail, "log", { after: 10 });
  it.world.settle();
  for (let index = 0; index < 10; index++) it.committed(1);
  it.world.settle();
  assertComplete(it, tail, 10);
  assert.ok(it.queries >= 4);
  it.world.end();
});

Deno.test("commits that were made before the feed attached are not lost, though nobody tells of them", () => {
  const it = new FeedRig();
  it.status();
  it.world.settle();
  const tail = it.session("tail");
  it.subscribe(tail, "log", { after: 0 });
  it.world.settle();
  // As if the cluster's status had been late: the store is ahead of what the feed was told.
  it.commit = 3;
  it.commits.push({ commit: 2, changes: numbered(2, 3) }, { commit: 3, changes: numbered(3, 3) });
  it.status();
  it.world.settle();
  assertComplete(it, tail, 0);
  it.world.end();
});

Deno.test("a subscriber that reads nothing costs no memory and misses nothing when it reads again", () => {
  const it = new FeedRig({ recentChangesMax: 50 });
  it.status();
  const slow = it.session("slow", false);
  it.subscribe(slow, "log", { after: 0 });
  it.world.settle();
  for (let index = 0; index < 1_000; index++) it.committed(3);
  it.world.settle();
  assert.equal(slow.session.messages.length, 1, "the snapshot alone");
  for (let round = 0; round < 20; round++) {
    slow.take();
    it.world.loop.runFor(10);
  }
  assertComplete(it, slow, 0);
  it.world.end();
});

Deno.test("a commit that is larger than all memory is told from the store, in several envelopes", () => {
  const it = new FeedRig({ recentChangesMax: 100 });
  it.status();
  const tail = it.session("tail");
  it.subscribe(tail, "log", { after: 0 });
  it.world.settle();
  it.committed(3_500);
  it.committed(1);
  it.world.loop.runFor(10);
  assertComplete(it, tail, 0);
  assert.deepEqual(tail.changes.map(({ commit }) => commit), [0, 0, 0, 1, 2]);
  it.world.end();
});

Deno.test("a store that fails for a while delays a subscriber and loses nothing", () => {
  let failures = 3;
  const it = new FeedRig({}, { fails: () => failures-- > 0 });
  it.status();
  for (let index = 0; index < 10; index++) it.committed(1);
  it.world.settle();
  const tail = it.session("tail");
  it.subscribe(tail, "log", { after: 0 });
  it.world.loop.runFor(10_000);
  assertComplete(it, tail, 0);
  assert.equal(it.queries, 4);
  it.world.end();
});

Deno.test("a commit that the store does not have is refused with the reason", () => {
  const it = new FeedRig();
  it.commit = 7;
  it.status();
  const other = epochOf("f".repeat(32), 3, "0a0b0c0d");
  const asks = [
    { kind: "log", words: { after: 8 }, said: /commit 8, which is not there; the store ends with 7/ },
    { kind: "live", words: { seen: { epoch: EPOCH, commit: 9 } }, said: /knows commit 9/ },
    { kind: "live", words: { seen: { epoch: other, commit: 1 } }, said: /another store/ },
  ] as const;
  for (const [index, { kind, words, said }] of asks.entries()) {
    const client = it.session(`client${index}`);
    it.subscribe(client, kind, words);
    it.world.settle();
    assert.match(client.refused[0]?.message ?? "", said);
    assert.deepEqual(client.session.messages.at(-1), { type: "close", name: "store_lost", message: "" });
  }
  it.world.end();
});

Deno.test("a commit that the feed has not heard of is looked for in the store before it is called lost", () => {
  const it = new FeedRig();
  it.commit = 7;
  it.status();
  it.world.settle();
  // A feed that was restarted knows what the cluster said last; a client may have been told of more.
  it.commit = 9;
  const ahead = it.session("ahead");
  it.subscribe(ahead, "log", { after: 9, seen: { epoch: EPOCH, commit: 9 } });
  it.world.settle();
  assert.equal(ahead.refused.length, 0);
  assert.equal(ahead.snapshots[0]?.commit, 9);
  it.world.end();
});

/** One step of a history. */
type Step =
  | { readonly type: "commit"; readonly changes: number; readonly times: number }
  | { readonly type: "subscribe"; readonly back: number }
  | { readonly type: "take"; readonly who: number }
  | { readonly type: "status" }
  | { readonly type: "wait"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("commit" as const),
      changes: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4 }), fc.constant(1_200)),
      times: fc.integer({ min: 1, max: 20 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("subscribe" as const), back: fc.nat({ max: 50 }) }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant("take" as const), who: fc.nat({ max: 5 }) }) },
  { weight: 1, arbitrary: fc.constant({ type: "status" as const }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.nat({ max: 30 }) }) },
);

Deno.test("whatever the interleaving of commits, pauses and catching up, each change is told once and in order", () => {
  const history = fc.record({
    seed: fc.nat(),
    recentChangesMax: fc.constantFrom(1, 10, 100, 16_384),
    earlier: fc.nat({ max: 30 }),
    steps: fc.array(step, { maxLength: 60 }),
  });
  fc.assert(
    fc.property(history, ({ seed, recentChangesMax, earlier, steps }) => {
      const random = seededRandom(seed);
      const habits = { delayMs: () => random.integer(10), fails: () => random.integer(10) === 0 };
      const it = new FeedRig({ recentChangesMax }, habits, String(seed), earlier);
      it.status();
      it.world.settle();
      const subscribers: { readonly subscriber: Subscriber; readonly after: number }[] = [];
      for (const each of steps) {
        if (each.type === "commit") { for (let i = 0; i < each.times; i++) it.committed(each.changes); }
        else if (each.type === "status") it.status();
        else if (each.type === "take") subscribers[each.who]?.subscriber.take();
        else if (each.type === "wait") it.world.loop.runFor(each.ms);
        else if (subscribers.length < 6) {
          const subscriber = it.session(`s${subscribers.length}`, random.integer(2) === 0);
          const after = Math.max(0, it.commit - each.back);
          it.subscribe(subscriber, "log", { after });
          subscribers.push({ subscriber, after });
        }
      }
      // Every commit is told in the end, once everyone reads and the store answers.
      for (let round = 0; round < 2_000; round++) {
        for (const { subscriber } of subscribers) subscriber.take();
        it.world.loop.runFor(20);
        if (round > 50 && subscribers.every(({ subscriber }) => subscriber.waiting.length === 0)) {
          const last = (subscriber: Subscriber) => subscriber.changes.at(-1)?.commit ?? -1;
          const newest = it.commits.at(-1)?.commit ?? -1;
          if (subscribers.every(({ subscriber, after }) => Math.max(after, last(subscriber)) >= newest)) {
            break;
          }
        }
      }
      for (const { subscriber, after } of subscribers) assertComplete(it, subscriber, after);
      it.world.end();
    }),
    { numRuns: 300 },
  );
});
