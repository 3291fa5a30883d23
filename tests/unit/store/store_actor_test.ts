import assert from "node:assert/strict";
import type { Context, Ref } from "../../../shared/actor/actor.ts";
import { type Random, seededRandom } from "../../../shared/actor/random.ts";
import { System } from "../../../shared/actor/system.ts";
import { VirtualLoop } from "../../../shared/actor/virtual_loop.ts";
import { groupId, taskId } from "../../../shared/model/ids.ts";
import { WAITING_ROWS_MAX } from "../../../master/store/commit_queue.ts";
import { MemoryDisk } from "../../../master/store/memory_disk.ts";
import { type MemoryFaults, MemoryStore, NO_FAULTS } from "../../../master/store/memory_store.ts";
import type { CommitsMessage, StoreAnswer } from "../../../master/store/messages.ts";
import type { StoreChange } from "../../../master/store/store.ts";
import { storeActor, type StoreActorMessage } from "../../../master/store/store_actor.ts";

const GROUP = groupId("e1");

/** One store below a root that keeps what it is told. */
class Bench {
  readonly loop: VirtualLoop;
  readonly system: System;
  readonly disk = new MemoryDisk();
  readonly store: MemoryStore;
  readonly answers: (StoreAnswer | CommitsMessage)[] = [];
  readonly fatal: string[] = [];
  ref: Ref<StoreActorMessage> = { path: "", id: 0 };
  me: Ref<StoreAnswer | CommitsMessage> = { path: "", id: 0 };
  ends = 0;
  readonly #random: Random;

  constructor(faults: MemoryFaults = NO_FAULTS) {
    this.#random = seededRandom("store actor");
    this.loop = new VirtualLoop(this.#random);
    this.system = new System(this.loop, "seed");
    this.store = this.newStore(faults);
    this.system.start("root", (context: Context<StoreAnswer | CommitsMessage>) => {
      this.me = context.self;
      this.ref = context.spawn(
        "store",
        storeActor({
          store: this.store,
          post: (to, message) => this.system.post(to, message),
          fatal: (reason) => this.fatal.push(reason),
        }),
      );
      return {
        receive: (message) => void this.answers.push(message),
        exited: () => void (this.ends += 1),
        stopping: (deadlineMs) => {
          context.stop(this.ref, deadlineMs);
          return "later";
        },
      };
    });
  }

  newStore(faults: MemoryFaults = NO_FAULTS): MemoryStore {
    return new MemoryStore({
      disk: this.disk,
      random: this.#random,
      schedule: (delayMs, call) => void this.loop.timer(delayMs, call),
      wallClock: () => this.loop.wallClock(),
      faults,
    });
  }

  post(message: StoreActorMessage): void {
    this.system.post(this.ref, message);
  }

  recover(): void {
    this.post({ type: "recover", from: this.me });
    this.until(() => this.of("recovered").length > 0);
    this.commit(0, [{ type: "group_added", group: GROUP, template: new Uint8Array() }]);
    this.until(() => this.of("committed").length > 0);
    this.answers.length = 0;
  }

  commit(token: number, changes: readonly StoreChange[]): void {
    this.post({ type: "commit", from: this.me, token, changes });
  }

  of<T extends (StoreAnswer | CommitsMessage)["type"]>(
    type: T,
  ): readonly Extract<StoreAnswer | CommitsMessage, { type: T }>[] {
    return this.answers.filter((each): each is Extract<StoreAnswer | CommitsMessage, { type: T }> =>
      each.type === type
    );
  }

  until(condition: () => boolean): void {
    assert.ok(this.loop.runUntil(condition, this.loop.now() + 60_000), "nothing came of it");
  }
}

function submit(first: number, count = 1): StoreChange {
  const payloads = Array.from({ length: count }, () => new Uint8Array(10));
  return { type: "tasks_submitted", group: GROUP, first, payloads, atMs: 0 };
}

Deno.test("requests of one turn share a commit, and each is answered with its own verdicts", () => {
  const bench = new Bench();
  bench.recover();
  const lost: StoreChange = {
    type: "outcome",
    task: taskId(GROUP, 9),
    worker: "w",
    outcome: { state: "cancelled" },
    attempts: 0,
    elapsedMs: 0,
    atMs: 0,
  };
  bench.commit(1, [submit(1), lost]);
  bench.commit(2, [submit(2)]);
  bench.until(() => bench.of("committed").length === 2);
  assert.deepEqual(bench.of("committed"), [
    { type: "committed", token: 1, commit: 2, verdicts: [{ type: "recorded" }, { type: "unknown" }] },
    { type: "committed", token: 2, commit: 2, verdicts: [{ type: "recorded" }] },
  ]);
});

Deno.test("what comes while a commit runs goes into the next one together", () => {
  const bench = new Bench({ ...NO_FAULTS, latencyMs: () => 10 });
  bench.recover();
  bench.commit(1, [submit(1)]);
  bench.loop.runFor(2);
  bench.commit(2, [submit(2)]);
  bench.loop.runFor(2);
  bench.commit(3, [submit(3)]);
  bench.until(() => bench.of("committed").length === 3);
  assert.deepEqual(bench.of("committed").map((each) => each.commit), [2, 3, 3]);
});

Deno.test("a failed batch is kept and applied again, and who listens is told why it waits", () => {
  let full = false;
  const bench = new Bench({ ...NO_FAULTS, isFull: () => full });
  bench.recover();
  bench.post({ type: "listen", from: bench.me });
  full = true;
  bench.commit(1, [submit(1)]);
  bench.until(() => bench.of("store_state").some((each) => each.state === "degraded"));
  assert.match(bench.of("store_state").at(-1)?.reason ?? "", /full/);
  assert.equal(bench.of("store_state").at(-1)?.waitingChanges, 2);
  bench.loop.runFor(30_000);
  assert.equal(bench.of("committed").length, 0);
  full = false;
  bench.until(() => bench.of("committed").length === 1);
  assert.deepEqual(bench.of("committed")[0]?.verdicts, [{ type: "recorded" }]);
  bench.until(() => bench.of("store_state").at(-1)?.state === "ready");
  assert.equal(bench.of("store_state").at(-1)?.waitingChanges, 0);
});

Deno.test("a batch that became durable though it was answered by a fault gets its first answer", () => {
  let fate: "ok" | "applied_unanswered" = "ok";
  const bench = new Bench({ ...NO_FAULTS, commitFate: () => fate });
  bench.recover();
  bench.post({ type: "attach_feed", feed: bench.me });
  bench.post({ type: "listen", from: bench.me });
  fate = "applied_unanswered";
  bench.commit(1, [submit(1)]);
  bench.commit(2, [submit(2)]);
  bench.until(() => bench.of("store_state").some((each) => each.state === "degraded"));
  fate = "ok";
  bench.until(() => bench.of("committed").length === 2 && bench.of("commits").length === 1);
  assert.deepEqual(bench.of("committed").map((each) => each.commit), [2, 2]);
  assert.deepEqual(bench.of("commits")[0]?.changes, [
    { kind: "submitted", group: GROUP, first: 1, count: 1 },
    { kind: "submitted", group: GROUP, first: 2, count: 1 },
  ]);
});

Deno.test("a newer epoch ends the process instead of writing", () => {
  const bench = new Bench();
  bench.recover();
  bench.newStore().open(() => {});
  bench.loop.runFor(1);
  bench.commit(1, [submit(1)]);
  bench.until(() => bench.ends === 1);
  assert.equal(bench.fatal.length, 1);
  assert.equal(bench.of("committed").length, 0);
  assert.equal(bench.disk.state.openTasks.size, 0);
});

Deno.test("a store whose file is gone ends the process with the reason, and acknowledges nothing", () => {
  const bench = new Bench();
  bench.recover();
  bench.store.commit = (_epoch, _changes, done) => {
    bench.loop.timer(1, () => done({ ok: false, error: { kind: "gone", message: "it was deleted" } }));
  };
  bench.commit(1, [submit(1)]);
  bench.until(() => bench.ends === 1);
  assert.deepEqual(bench.fatal, ["it was deleted"]);
  assert.equal(bench.of("committed").length, 0);
});

Deno.test("a recovery that accepts a loss is tried until it is done, and gives the store a new id", () => {
  let isFull = false;
  const bench = new Bench({ ...NO_FAULTS, isFull: () => isFull });
  bench.recover();
  const before = bench.disk.state.storeId;
  isFull = true;
  bench.post({ type: "recover", from: bench.me, renew: true });
  bench.loop.runFor(1_000);
  assert.equal(bench.disk.state.storeId, before);
  isFull = false;
  bench.until(() => bench.of("recovered").length === 1);
  const recovered = bench.of("recovered")[0]?.recovered;
  assert.notEqual(bench.disk.state.storeId, before);
  assert.deepEqual(recovered?.earlierEpochs, []);
  bench.commit(1, [submit(1)]);
  bench.until(() => bench.of("committed").length === 1);
});

Deno.test("a recovery waits for the commits before it and raises the epoch", () => {
  const bench = new Bench({ ...NO_FAULTS, latencyMs: () => 5 });
  bench.recover();
  bench.commit(1, [submit(1)]);
  bench.commit(2, [submit(2)]);
  bench.post({ type: "recover", from: bench.me });
  bench.until(() => bench.of("recovered").length === 1);
  const recovered = bench.of("recovered")[0]?.recovered;
  assert.equal(recovered?.tasks.length, 2);
  assert.equal(recovered?.earlierEpochs.length, 1);
});

Deno.test("an overfull queue is told, and told again when it is calm", () => {
  const bench = new Bench({ ...NO_FAULTS, latencyMs: () => 10 });
  bench.recover();
  bench.post({ type: "listen", from: bench.me });
  const step = 10_000;
  for (let first = 1; first <= WAITING_ROWS_MAX + step; first += step) {
    bench.commit(first, [submit(first, step)]);
  }
  bench.until(() => bench.of("store_state").some((each) => each.isOverfull));
  bench.until(() => bench.of("store_state").at(-1)?.isOverfull === false);
});

Deno.test("stopping makes durable what waits and lets the store go", () => {
  const bench = new Bench({ ...NO_FAULTS, latencyMs: () => 5 });
  bench.recover();
  bench.commit(1, [submit(1)]);
  bench.commit(2, [submit(2)]);
  bench.system.stop(1_000);
  bench.until(() => bench.ends === 1);
  assert.equal(bench.disk.state.openTasks.size, 2);
  assert.deepEqual(bench.fatal, []);
});
