/**
 * What every store keeps, whoever wrote it. Run it over a new store with one call:
 *
 * ```ts
 * storeSuite("mine", async () => ({ create: () => new MyStore(folder), backupPath, createFrom, dispose }));
 * ```
 *
 * @module
 */
import assert from "node:assert/strict";
import { changesOf } from "../../master/store/changes_of.ts";
import { QUERY_ROWS_MAX } from "../../master/store/limits.ts";
import type {
  Committed,
  Done,
  Queries,
  Recovered,
  Store,
  StoreChange,
  StoreError,
} from "../../master/store/store.ts";
import {
  commandId,
  type Epoch,
  EPOCH_PATTERN,
  groupId,
  incarnation,
  storeOf,
  type TaskId,
  taskId,
  workerId,
} from "../../shared/model/ids.ts";
import type { Outcome } from "../../shared/model/outcome.ts";
import type { Lease } from "../../shared/model/task.ts";

/** Where stores of one test live. */
export interface StoreBench {
  /** A store object over the durable state of this bench. */
  create(): Store;
  /** A path to which a backup may be written. */
  readonly backupPath: string;
  /** A store over the backup at that path. */
  createFromBackup(): Store;
  dispose(): Promise<void>;
}

/** A store whose calls are promises. */
export interface Asked {
  readonly store: Store;
  open(): Promise<Recovered>;
  commit(epoch: Epoch, changes: readonly StoreChange[]): Promise<Committed>;
  query<K extends keyof Queries>(kind: K, ask: Queries[K]["ask"]): Promise<Queries[K]["answer"]>;
  backup(path: string): Promise<{ readonly bytes: number }>;
  close(): Promise<null>;
}

/** An answer that was no answer. */
export class StoreFailure extends Error {
  readonly kind: StoreError["kind"];

  constructor(error: StoreError) {
    super(`${error.kind}: ${error.message}`);
    this.kind = error.kind;
  }
}

/** Turns callbacks into promises that reject with `StoreFailure`. */
export function asked(store: Store): Asked {
  return {
    store,
    open: () => promised((done) => store.open(done)),
    commit: (epoch, changes) => promised((done) => store.commit(epoch, changes, done)),
    query: (kind, ask) => promised((done) => store.query(kind, ask, done)),
    backup: (path) => promised((done) => store.backup(path, done)),
    close: () => promised((done) => store.close(done)),
  };
}

function promised<T>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((result) => result.ok ? resolve(result.value) : reject(new StoreFailure(result.error)));
  });
}

const GROUP = groupId("t7");
const EXPERIMENT = groupId("e3");
const WORKER = workerId("machine-1");
const LIFE = incarnation("life-1");
const AT_MS = 1_700_000_000_000;
const SPEC = JSON.stringify({
  name: "quick",
  objectives: [{ metric: "loss", direction: "minimize" }],
  budget: { trials: 20 },
});
const RECORDED = { type: "recorded" } as const;
const AGAIN = { type: "recorded", again: true } as const;
const UNKNOWN = { type: "unknown" } as const;

/** A group of plain tasks. */
export function group(id = GROUP): StoreChange {
  return { type: "group_added", group: id, template: new Uint8Array([1, 2, 3]) };
}

/** Tasks with payloads of one byte, the low byte of their number. */
export function submission(first: number, count: number, id = GROUP): StoreChange {
  const payloads = Array.from({ length: count }, (_, index) => new Uint8Array([(first + index) % 256]));
  return { type: "tasks_submitted", group: id, first, payloads, atMs: AT_MS };
}

/** Trials with small candidates. */
export function trials(first: number, count: number, toldBefore = 0): StoreChange {
  return {
    type: "tasks_submitted",
    group: EXPERIMENT,
    first,
    payloads: Array.from({ length: count }, () => new Uint8Array([9])),
    trials: Array.from({ length: count }, (_, index) => ({
      candidate: JSON.stringify({ lr: first + index }),
      hash: `hash-${first + index}`,
      parents: first + index > 1 ? [first + index - 1] : [],
      toldBefore,
    })),
    atMs: AT_MS,
  };
}

/** An outcome. */
export function ended(task: TaskId, outcome: Outcome, lease?: Lease): StoreChange {
  return {
    type: "outcome",
    task,
    lease,
    worker: lease === undefined ? "" : WORKER,
    outcome,
    attempts: lease?.attempt ?? 0,
    elapsedMs: 12.5,
    atMs: AT_MS + 1,
  };
}

const completed = (loss: number): Outcome => ({ state: "completed", metrics: { loss } });
const cancelled: Outcome = { state: "cancelled" };
const experimentAdded: StoreChange = {
  type: "experiment_added",
  experiment: EXPERIMENT,
  name: "quick",
  spec: SPEC,
  atMs: AT_MS,
};

/** The whole suite over one implementation. */
export function storeSuite(name: string, make: () => Promise<StoreBench>): void {
  const test = (sentence: string, body: (store: Asked, bench: StoreBench) => Promise<void>) => {
    Deno.test(`${name}: ${sentence}`, async () => {
      const bench = await make();
      const store = asked(bench.create());
      try {
        await body(store, bench);
        await store.close();
      } finally {
        await bench.dispose();
      }
    });
  };
  lifeTests(test);
  verdictTests(test);
  repetitionTests(test);
  queryTests(test);
}

type Test = (sentence: string, body: (store: Asked, bench: StoreBench) => Promise<void>) => void;

function lifeTests(test: Test): void {
  test("a new store is empty and has its first epoch", async (store) => {
    const recovered = await store.open();
    assert.match(recovered.epoch, EPOCH_PATTERN);
    assert.deepEqual({ ...recovered, epoch: "" }, {
      epoch: "",
      earlierEpochs: [],
      commit: 0,
      groups: [],
      tasks: [],
      attempts: [],
      experiments: [],
      nextGroup: 1,
    });
  });

  test(
    "what was committed is there after a close and a new start, under a new epoch of the same store",
    async (store, bench) => {
      const { epoch } = await store.open();
      const lease = (number: number, attempt = 1) => ({ epoch, task: taskId(GROUP, number), attempt });
      await store.commit(epoch, [group(), submission(1, 4)]);
      await store.commit(epoch, [
        { type: "attempt_opened", lease: lease(2), worker: WORKER, incarnation: LIFE, atMs: AT_MS },
        {
          type: "attempt_ended",
          lease: lease(3),
          worker: WORKER,
          cause: "evaluator",
          message: "no",
          atMs: AT_MS,
        },
        {
          type: "attempt_ended",
          lease: lease(3, 2),
          worker: WORKER,
          cause: "returned",
          message: "",
          atMs: AT_MS,
        },
        ended(taskId(GROUP, 1), completed(1), lease(1)),
      ]);
      await store.close();
      const next = asked(bench.create());
      const recovered = await next.open();
      const failures = { evaluator: 0, deadline: 0, worker_lost: 0, crash: 0 };
      assert.deepEqual(recovered.earlierEpochs, [epoch]);
      assert.equal(storeOf(recovered.epoch), storeOf(epoch));
      assert.notEqual(recovered.epoch, epoch);
      assert.equal(recovered.commit, 2);
      assert.deepEqual(recovered.groups, [{
        group: GROUP,
        template: new Uint8Array([1, 2, 3]),
        lastNumber: 4,
      }]);
      assert.deepEqual(plain(recovered.tasks), [
        { task: "t7/2", payload: [2], failures, attempts: 1 },
        { task: "t7/3", payload: [3], failures: { ...failures, evaluator: 1 }, attempts: 2 },
        { task: "t7/4", payload: [4], failures, attempts: 0 },
      ]);
      assert.deepEqual(recovered.attempts, [
        { lease: lease(2), worker: WORKER, incarnation: LIFE, openedAtMs: AT_MS },
      ]);
      assert.equal(recovered.nextGroup, 8);
      await next.close();
    },
  );

  test("opening an open store takes a new epoch, and the one before can commit no more", async (store) => {
    const first = await store.open();
    await store.commit(first.epoch, [group()]);
    const second = await store.open();
    await assert.rejects(store.commit(first.epoch, [submission(1, 1)]), isFailure("superseded"));
    assert.deepEqual((await store.query("counts", { group: GROUP })).submitted, 0);
    await store.commit(second.epoch, [submission(1, 1)]);
  });

  test("groups are recovered while they have open tasks or an experiment that is not over", async (store) => {
    const { epoch } = await store.open();
    await store.commit(epoch, [group(), submission(1, 1), group(EXPERIMENT), experimentAdded]);
    await store.commit(epoch, [ended(taskId(GROUP, 1), cancelled)]);
    const running = await store.open();
    assert.deepEqual(running.groups.map((each) => each.group), [EXPERIMENT]);
    assert.deepEqual(running.experiments, [{
      experiment: EXPERIMENT,
      name: "quick",
      spec: SPEC,
      state: "running",
      reason: "",
      createdAtMs: AT_MS,
    }]);
    await store.commit(running.epoch, [state("completed")]);
    const over = await store.open();
    assert.deepEqual([over.groups, over.experiments], [[], []]);
  });

  test("a backup is a whole store, and never overwrites a file", async (store, bench) => {
    const { epoch } = await store.open();
    await store.commit(epoch, [group(), submission(1, 3)]);
    const { bytes } = await store.backup(bench.backupPath);
    assert.ok(bytes > 0);
    await store.commit(epoch, [submission(4, 1)]);
    await assert.rejects(store.backup(bench.backupPath), isFailure("fault"));
    const copy = asked(bench.createFromBackup());
    const recovered = await copy.open();
    assert.equal(recovered.tasks.length, 3);
    assert.equal(storeOf(recovered.epoch), storeOf(epoch));
    await copy.close();
  });

  test("a closed store answers with a fault, and can be opened again", async (store) => {
    const { epoch } = await store.open();
    await store.close();
    await assert.rejects(store.commit(epoch, [group()]), isFailure("fault"));
    const again = await store.open();
    await store.commit(again.epoch, [group()]);
  });
}

function verdictTests(test: Test): void {
  test("the first outcome of a task wins, and the others learn which it was", async (store) => {
    const { epoch } = await store.open();
    const lease = (number: number, attempt = 1) => ({ epoch, task: taskId(GROUP, number), attempt });
    await store.commit(epoch, [group(), submission(1, 2)]);
    const { verdicts } = await store.commit(epoch, [
      ended(taskId(GROUP, 1), completed(1), lease(1, 2)),
      ended(taskId(GROUP, 1), completed(2), lease(1, 1)),
      ended(taskId(GROUP, 2), cancelled),
      ended(taskId(GROUP, 2), completed(3), lease(2)),
      ended(taskId(GROUP, 1), cancelled),
    ]);
    assert.deepEqual(verdicts, [
      RECORDED,
      { type: "superseded", by: 2, state: "completed" },
      RECORDED,
      { type: "superseded", by: null, state: "cancelled" },
      { type: "superseded", by: 2, state: "completed" },
    ]);
    assert.deepEqual(await store.query("outcome", { task: taskId(GROUP, 1) }), {
      known: true,
      state: "completed",
      by: 2,
    });
  });

  test("what the store does not know is answered by unknown and changes nothing", async (store) => {
    const { epoch } = await store.open();
    const stranger = { epoch: anotherStore(epoch), task: taskId(GROUP, 1), attempt: 1 };
    await store.commit(epoch, [group(), submission(1, 2)]);
    const lease = { epoch, task: taskId(GROUP, 9), attempt: 1 };
    const { verdicts } = await store.commit(epoch, [
      submission(1, 1, groupId("none")),
      ended(taskId(GROUP, 9), completed(1), lease),
      ended(taskId(GROUP, 1), completed(1), stranger),
      { type: "attempt_opened", lease, worker: WORKER, incarnation: LIFE, atMs: AT_MS },
      { type: "attempt_ended", lease, worker: WORKER, cause: "crash", message: "", atMs: AT_MS },
      { type: "reports", lease: stranger, reports: [{ step: 1, metrics: { loss: 1 } }] },
      state("paused"),
      submission(2, 5),
    ]);
    assert.deepEqual(verdicts, new Array(8).fill(UNKNOWN));
    assert.deepEqual((await store.query("changes", { after: 1, limit: 10 })).commits, []);
    assert.deepEqual(await store.query("outcome", { task: taskId(GROUP, 9) }), {
      known: false,
      state: null,
      by: null,
    });
  });

  test("an outcome closes what is open of its task, and nothing opens after it", async (store) => {
    const { epoch } = await store.open();
    const lease = (attempt: number) => ({ epoch, task: taskId(GROUP, 1), attempt });
    const opened = (attempt: number): StoreChange => (
      { type: "attempt_opened", lease: lease(attempt), worker: WORKER, incarnation: LIFE, atMs: AT_MS }
    );
    await store.commit(epoch, [group(), submission(1, 2), opened(1), opened(2)]);
    await store.commit(epoch, [ended(taskId(GROUP, 1), completed(1), lease(2))]);
    const { verdicts } = await store.commit(epoch, [opened(3)]);
    assert.deepEqual(verdicts, [{ type: "superseded", by: 2, state: "completed" }]);
    assert.deepEqual((await store.open()).attempts, []);
  });

  test("an attempt that ended late stays on record beside the outcome of another", async (store) => {
    const { epoch } = await store.open();
    const lease = (attempt: number) => ({ epoch, task: taskId(GROUP, 1), attempt });
    const end = (attempt: number): StoreChange => (
      {
        type: "attempt_ended",
        lease: lease(attempt),
        worker: WORKER,
        cause: "duplicate",
        message: "",
        atMs: AT_MS,
      }
    );
    await store.commit(epoch, [group(), submission(1, 1)]);
    const { verdicts } = await store.commit(epoch, [
      ended(taskId(GROUP, 1), completed(1), lease(2)),
      end(1),
      end(2),
    ]);
    assert.deepEqual(verdicts, [RECORDED, RECORDED, { type: "superseded", by: 2, state: "completed" }]);
  });
}

function repetitionTests(test: Test): void {
  test("a command is applied once: a repeat gets the first reply and its changes are left out", async (store) => {
    const { epoch } = await store.open();
    const command = (reply: number, changes: readonly StoreChange[]): StoreChange => (
      { type: "command", id: commandId("c1"), reply: new Uint8Array([reply]), changes }
    );
    const first = await store.commit(epoch, [command(1, [group(), submission(1, 2), state("paused")])]);
    assert.deepEqual(first.verdicts, [{ type: "recorded", nested: [RECORDED, RECORDED, UNKNOWN] }]);
    const second = await store.commit(epoch, [command(2, [submission(3, 2)])]);
    assert.deepEqual(plain(second.verdicts), [{ type: "repeated", reply: [1] }]);
    assert.equal((await store.query("counts", { group: GROUP })).submitted, 2);
  });

  test("a batch that is applied twice is recorded once", async (store) => {
    const { epoch } = await store.open();
    const lease = (number: number) => ({ epoch, task: taskId(EXPERIMENT, number), attempt: 1 });
    const batch = (): StoreChange[] => [
      group(EXPERIMENT),
      experimentAdded,
      trials(1, 3),
      {
        type: "attempt_opened",
        lease: lease(1),
        worker: WORKER,
        incarnation: LIFE,
        atMs: AT_MS,
      },
      {
        type: "attempt_ended",
        lease: lease(1),
        worker: WORKER,
        cause: "crash",
        message: "",
        atMs: AT_MS,
      },
      ended(taskId(EXPERIMENT, 2), completed(1), lease(2)),
      ended(taskId(EXPERIMENT, 3), cancelled),
      state("paused"),
    ];
    await store.commit(epoch, batch());
    const before = await store.query("changes", { after: 0, limit: 100 });
    const { verdicts, commit } = await store.commit(epoch, batch());
    assert.deepEqual(verdicts, new Array(8).fill(AGAIN));
    assert.equal(commit, 2);
    assert.deepEqual(await store.query("changes", { after: 0, limit: 100 }), { ...before, upTo: 2 });
    const recovered = await store.open();
    assert.deepEqual(recovered.tasks.map((each) => each.attempts), [1]);
    assert.deepEqual(recovered.attempts, []);
  });

  test("numbers of a group may have gaps, and each task keeps its own", async (store) => {
    const { epoch } = await store.open();
    await store.commit(epoch, [group(), submission(1, 2), submission(11, 2)]);
    assert.deepEqual(await store.query("outcome", { task: taskId(GROUP, 5) }), {
      known: false,
      state: null,
      by: null,
    });
    const { verdicts } = await store.commit(epoch, [
      ended(taskId(GROUP, 5), cancelled),
      ended(taskId(GROUP, 12), cancelled),
    ]);
    assert.deepEqual(verdicts, [UNKNOWN, RECORDED]);
    assert.deepEqual((await store.open()).tasks.map((each) => each.task), ["t7/1", "t7/2", "t7/11"]);
  });
}

function queryTests(test: Test): void {
  test("the feed tells each commit's changes in order, as they were told live", async (store) => {
    const { epoch } = await store.open();
    const lease = { epoch, task: taskId(EXPERIMENT, 2), attempt: 1 };
    const batches: StoreChange[][] = [
      [
        group(EXPERIMENT),
        {
          type: "command",
          id: commandId("c"),
          reply: new Uint8Array(),
          changes: [experimentAdded, trials(1, 3)],
        },
        group(),
      ],
      [{ type: "attempt_opened", lease, worker: WORKER, incarnation: LIFE, atMs: AT_MS }],
      [
        ended(taskId(EXPERIMENT, 1), completed(2), { ...lease, task: taskId(EXPERIMENT, 1) }),
        submission(1, 1),
        { type: "attempt_ended", lease, worker: WORKER, cause: "deadline", message: "late", atMs: AT_MS },
        ended(taskId(EXPERIMENT, 3), {
          state: "failed",
          cause: "evaluator",
          message: "broken",
          stack: "at 1",
        }),
        state("paused", "to think"),
        ended(taskId(EXPERIMENT, 1), cancelled),
      ],
    ];
    const told = [];
    for (const batch of batches) {
      const { commit, verdicts } = await store.commit(epoch, batch);
      const changes = batch.flatMap((change, index) => changesOf(change, verdicts[index] ?? UNKNOWN));
      if (changes.length > 0) told.push({ commit, changes });
    }
    assert.deepEqual(await store.query("changes", { after: 0, limit: 100 }), { commits: told, upTo: 3 });
    assert.deepEqual(told[1]?.changes.map((each) => each.kind), [
      "ended",
      "submitted",
      "attempt_ended",
      "ended",
      "experiment",
    ]);
    assert.deepEqual(
      await store.query("changes", { after: 0, limit: 1 }),
      { commits: told.slice(0, 1), upTo: 1 },
    );
    assert.deepEqual(await store.query("changes", { after: 3, limit: 10 }), { commits: [], upTo: 3 });
  });

  test("a history can be read in pages, outcomes in the order of their commits", async (store) => {
    const { epoch } = await store.open();
    await store.commit(epoch, [group(EXPERIMENT), experimentAdded, trials(1, 2), trials(3, 3, 1)]);
    const outcomes = [3, 1, 5, 2].map((number) => {
      const task = taskId(EXPERIMENT, number);
      return ended(task, completed(number), { epoch, task, attempt: 1 });
    });
    for (const outcome of outcomes) await store.commit(epoch, [outcome]);
    const pages = [];
    for (const after of [0, 2, 4]) {
      pages.push(await store.query("history_outcomes", { experiment: EXPERIMENT, after, limit: 2 }));
    }
    assert.deepEqual(pages.map((page) => page.map((each) => each.number)), [[3, 1], [5, 2], []]);
    assert.deepEqual(pages[0]?.[0], {
      number: 3,
      state: "completed",
      metrics: { loss: 3 },
      cause: null,
      message: null,
      attempts: 1,
      atMs: AT_MS + 1,
    });
    const history = await store.query("history_trials", { experiment: EXPERIMENT, after: 1, limit: 3 });
    assert.deepEqual(history.map((each) => [each.number, each.toldBefore, each.hash]), [
      [2, 0, "hash-2"],
      [3, 1, "hash-3"],
      [4, 1, "hash-4"],
    ]);
    assert.deepEqual(history[0], {
      number: 2,
      candidate: '{"lr":2}',
      hash: "hash-2",
      parents: [1],
      toldBefore: 0,
    });
  });

  test("a summary counts trials and attempts and names the first of the best", async (store) => {
    const { epoch } = await store.open();
    const lease = (number: number, attempt = 1) => ({ epoch, task: taskId(EXPERIMENT, number), attempt });
    await store.commit(epoch, [group(EXPERIMENT), experimentAdded, trials(1, 6)]);
    await store.commit(epoch, [
      ended(taskId(EXPERIMENT, 1), completed(0.5), lease(1)),
      ended(taskId(EXPERIMENT, 2), completed(0.25), lease(2, 3)),
      ended(taskId(EXPERIMENT, 3), completed(0.25), lease(3)),
      ended(taskId(EXPERIMENT, 4), { state: "pruned", metrics: { loss: 0.1 } }, lease(4)),
      ended(taskId(EXPERIMENT, 5), { state: "failed", cause: "crash", message: "gone" }, lease(5)),
      {
        type: "attempt_ended",
        lease: lease(6),
        worker: WORKER,
        cause: "evaluator",
        message: "",
        atMs: AT_MS,
      },
      { type: "attempt_opened", lease: lease(6, 2), worker: WORKER, incarnation: LIFE, atMs: AT_MS },
      { ...state("cancelled", "enough"), atMs: AT_MS + 3_500 },
    ]);
    const answer = await store.query("experiment", { experiment: "last" });
    assert.deepEqual(answer, {
      spec: SPEC,
      summary: {
        experiment: EXPERIMENT,
        name: "quick",
        state: "cancelled",
        reason: "enough",
        trials: { completed: 3, failed: 1, cancelled: 0, pruned: 1 },
        open: 1,
        attempts: 9,
        budgetTrials: 20,
        objectives: [{ metric: "loss", direction: "minimize" }],
        best: { trial: 2, metrics: { loss: 0.25 }, candidate: { lr: 2 } },
        seconds: 3.5,
        createdAtMs: AT_MS,
      },
    });
    assert.deepEqual(await store.query("experiments", { offset: 0, limit: 5 }), [answer?.summary]);
    assert.deepEqual(await store.query("experiments", { offset: 1, limit: 5 }), []);
    assert.deepEqual(await store.query("counts", { group: EXPERIMENT }), {
      submitted: 6,
      completed: 3,
      failed: 1,
      cancelled: 0,
      pruned: 1,
    });
    assert.equal(await store.query("experiment", { experiment: groupId("e9") }), null);
  });

  test("trials are shown by number with what became of them", async (store) => {
    const { epoch } = await store.open();
    const lease = (number: number) => ({ epoch, task: taskId(EXPERIMENT, number), attempt: 1 });
    await store.commit(epoch, [group(EXPERIMENT), experimentAdded, trials(1, 4)]);
    await store.commit(epoch, [
      ended(taskId(EXPERIMENT, 3), { state: "failed", cause: "evaluator", message: "NaN" }, lease(3)),
      ended(taskId(EXPERIMENT, 2), completed(0.5), lease(2)),
      { type: "attempt_opened", lease: lease(4), worker: WORKER, incarnation: LIFE, atMs: AT_MS },
    ]);
    const shown = await store.query("trials", { experiment: EXPERIMENT, after: 1, limit: 10 });
    const common = { elapsedMs: 12.5, endedAtMs: AT_MS + 1, worker: WORKER };
    assert.deepEqual(shown, [
      {
        trial: 2,
        state: "completed",
        attempts: 1,
        metrics: { loss: 0.5 },
        candidate: { lr: 2 },
        cause: null,
        message: null,
        parents: [1],
        ...common,
      },
      {
        trial: 3,
        state: "failed",
        attempts: 1,
        metrics: null,
        candidate: { lr: 3 },
        cause: "evaluator",
        message: "NaN",
        parents: [2],
        ...common,
      },
      {
        trial: 4,
        state: "pending",
        attempts: 1,
        metrics: null,
        candidate: { lr: 4 },
        cause: null,
        message: null,
        parents: [3],
        elapsedMs: null,
        endedAtMs: null,
        worker: null,
      },
    ]);
  });

  test("an answer is bounded, whatever limit was named", async (store) => {
    const { epoch } = await store.open();
    await store.commit(epoch, [group(), submission(1, QUERY_ROWS_MAX + 1)]);
    const shown = await store.query("trials", { experiment: GROUP, after: 0, limit: 1_000_000 });
    assert.equal(shown.length, QUERY_ROWS_MAX);
  });
}

function state(
  to: Extract<StoreChange, { type: "experiment_state" }>["state"],
  reason = "",
): Extract<StoreChange, { type: "experiment_state" }> {
  return { type: "experiment_state", experiment: EXPERIMENT, state: to, reason, atMs: AT_MS };
}

function anotherStore(epoch: Epoch): Epoch {
  const [digit] = epoch;
  return `${digit === "0" ? "1" : "0"}${epoch.slice(1)}` as Epoch;
}

/** Bytes as numbers: a view and a copy of the same bytes are the same. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

/** Tells a failure of one kind. */
export function isFailure(kind: StoreError["kind"]): (error: unknown) => boolean {
  return (error) => error instanceof StoreFailure && error.kind === kind;
}
