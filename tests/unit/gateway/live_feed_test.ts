import assert from "node:assert/strict";
import type { LiveEntry } from "../../../shared/protocol/client_envelopes.ts";
import { FeedRig } from "./feed_rig.ts";

const worker = (key: string, value: unknown): LiveEntry => ({ topic: "worker", key, value });

function values(entries: readonly LiveEntry[]): Record<string, unknown> {
  return Object.fromEntries(
    entries.filter(({ topic }) => topic === "worker").map(({ key, value }) => [key, value]),
  );
}

Deno.test("a live subscriber sees the present values, then the newest of what changes", () => {
  const it = new FeedRig();
  it.status();
  it.live([worker("a", 1), worker("b", 1), worker("gone", 1), worker("gone", null)]);
  const page = it.session("page");
  it.subscribe(page, "live");
  it.world.settle();
  assert.equal(page.snapshots.length, 1);
  assert.deepEqual(values(page.snapshots[0]?.entries ?? []), { a: 1, b: 1 });
  it.live([worker("a", 2), worker("b", null)]);
  it.world.loop.runFor(200);
  assert.deepEqual(values(page.changes.flatMap(({ entries }) => entries)), { a: 2, b: null });
  it.world.end();
});

Deno.test("a live subscriber is told at most ten times a second, and of the last value in the end", () => {
  const it = new FeedRig();
  it.status();
  const page = it.session("page");
  it.subscribe(page, "live");
  for (let index = 0; index < 10_000; index++) {
    it.live([worker("a", index)]);
    it.world.loop.runFor(1);
  }
  assert.ok(page.changes.length >= 90 && page.changes.length <= 101, `${page.changes.length} in 10 s`);
  it.world.loop.runFor(200);
  assert.deepEqual(values(page.changes.at(-1)?.entries ?? []), { a: 9_999 });
  it.world.end();
});

Deno.test("the first change after a pause is told at once", () => {
  const it = new FeedRig();
  it.status();
  const page = it.session("page");
  it.subscribe(page, "live");
  it.world.loop.runFor(5_000);
  const told = page.changes.length;
  it.live([worker("a", 1)]);
  it.world.settle();
  assert.equal(page.changes.length, told + 1);
  it.world.end();
});

Deno.test("a slow page skips values and holds up nobody", () => {
  const it = new FeedRig();
  it.status();
  const slow = it.session("slow", false);
  const quick = it.session("quick");
  it.subscribe(slow, "live");
  it.subscribe(quick, "live");
  for (let index = 0; index < 100; index++) {
    it.live([worker("a", index)]);
    it.world.loop.runFor(100);
  }
  assert.equal(slow.changes.length, 0);
  assert.ok(quick.changes.length > 90);
  slow.take();
  it.world.loop.runFor(200);
  assert.equal(slow.changes.length, 1);
  assert.deepEqual(values(slow.changes[0]?.entries ?? []), { a: 99 });
  it.world.end();
});

Deno.test("many entries are told in envelopes that fit into frames, each entry once", () => {
  const it = new FeedRig();
  it.status();
  it.live(Array.from({ length: 500 }, (_, index) => worker(`w${index}`, index)));
  const page = it.session("page");
  it.subscribe(page, "live");
  it.world.settle();
  const envelopes = [...page.snapshots, ...page.changes];
  assert.ok(envelopes.every(({ entries }) => entries.length <= 32));
  assert.equal(Object.keys(values(envelopes.flatMap(({ entries }) => entries))).length, 500);
  it.world.end();
});

Deno.test("the supervision tree is looked at once a second, and only while someone watches", () => {
  let looks = 0;
  const inspect = () => {
    looks += 1;
    const rest = {
      state: "running",
      mailbox: 0,
      startedAtMs: 0,
      children: [],
      remote: [],
      notes: {},
    } as const;
    return { name: "master", path: "master", handled: looks, ...rest };
  };
  const it = new FeedRig({ inspect });
  it.status();
  it.world.loop.runFor(10_000);
  assert.equal(looks, 0);
  const page = it.session("page");
  it.subscribe(page, "live");
  it.world.settle();
  assert.ok(page.snapshots[0]?.entries.some(({ topic }) => topic === "tree"));
  it.world.loop.runFor(10_000);
  assert.ok(looks >= 10 && looks <= 12, `${looks}`);
  it.world.system.kill(page.session.ref);
  it.world.loop.runFor(10_000);
  assert.ok(looks <= 12);
  it.world.end();
});

Deno.test("after unsubscribe nothing more is told, and the name is free again", () => {
  const it = new FeedRig();
  it.status();
  const page = it.session("page");
  it.subscribe(page, "live");
  it.world.settle();
  it.world.post(it.feed, { type: "unsubscribe", session: page.session.ref, id: "s" });
  it.live([worker("a", 1)]);
  it.world.loop.runFor(1_000);
  assert.equal(page.changes.length, 0);
  it.subscribe(page, "live");
  it.world.settle();
  assert.equal(page.snapshots.length, 2);
  assert.equal(page.refused.length, 0);
  it.world.end();
});

Deno.test("a name that is taken, and a subscription too many, are refused", () => {
  const it = new FeedRig();
  it.status();
  const page = it.session("page");
  it.subscribe(page, "live");
  it.subscribe(page, "live");
  it.world.settle();
  assert.equal(page.refused[0]?.code, "subscription_exists");
  const greedy = it.session("greedy");
  for (let index = 0; index < 17; index++) it.subscribe(greedy, "log", { id: `s${index}` });
  it.world.settle();
  assert.equal(greedy.refused.length, 1);
  assert.equal(greedy.refused[0]?.code, "too_many");
  it.world.end();
});

Deno.test("whoever subscribes before the epoch is known is told to come again", () => {
  const it = new FeedRig();
  const page = it.session("page");
  it.subscribe(page, "live");
  it.world.settle();
  assert.deepEqual(page.session.messages.at(-1), { type: "close", name: "busy", message: "" });
  it.world.end();
});
