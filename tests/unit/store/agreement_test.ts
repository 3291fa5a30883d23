import assert from "node:assert/strict";
import fc from "fast-check";
import { changesOf } from "../../../master/store/changes_of.ts";
import { MemoryDisk } from "../../../master/store/memory_disk.ts";
import { MEMORY_QUERIES, recoveredFrom } from "../../../master/store/memory_queries.ts";
import { Database } from "../../../master/store/sqlite/database.ts";
import { unpackRecovered } from "../../../master/store/sqlite/recovery.ts";
import { packChanges, unpackChanges } from "../../../master/store/sqlite/row_change.ts";
import type { Queries, Recovered, StoreChange } from "../../../master/store/store.ts";
import { EXPERIMENT_STATES } from "../../../shared/model/experiment.ts";
import {
  commandId,
  type Epoch,
  epochOf,
  groupId,
  incarnation,
  storeOf,
  taskId,
  workerId,
} from "../../../shared/model/ids.ts";
import type { Outcome } from "../../../shared/model/outcome.ts";

const NOW_MS = 1_700_000_100_000;
const RUNS = 150;
const STORE_ID = "ab".repeat(16);
const MARK = "abababab";
/** A lease of a later life is unknown until the store has been opened as often; the last is of another store. */
const EPOCHS: readonly Epoch[] = [
  epochOf(STORE_ID, 1, MARK),
  epochOf(STORE_ID, 2, MARK),
  epochOf("cd".repeat(16), 1, MARK),
];

const group = fc.constantFrom("t1", "e2").map(groupId);
const number = fc.integer({ min: 1, max: 9 });
const atMs = fc.integer({ min: 0, max: 1000 }).map((each) => 1_700_000_000_000 + each / 4);
const text = fc.string({ maxLength: 6, unit: "grapheme-ascii" });
const worker = fc.constantFrom("w1", "w2").map(workerId);
const bytes = fc.uint8Array({ maxLength: 5 });
// JSON knows no negative zero.
const value = fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => each + 0);
const metrics = fc.dictionary(fc.constantFrom("loss", "other"), value, { noNullPrototype: true });
const lease = fc.record({
  epoch: fc.constantFrom(...EPOCHS),
  task: fc.tuple(group, number).map(([id, each]) => taskId(id, each)),
  attempt: fc.integer({ min: 1, max: 3 }),
}, { noNullPrototype: true });

const hash = fc.constantFrom("a", "b", "c", "d").map((each) => each.repeat(64));
const artifact = fc.record({ sha256: hash, bytes: fc.nat(9) }, { noNullPrototype: true });
const file = fc.record(
  { name: fc.constantFrom("a.png", "b/c.txt", "\u{1f600}", "\uffee"), sha256: hash, bytes: fc.nat(9) },
  { noNullPrototype: true },
);
const reported = { number: fc.integer({ min: 1, max: 4 }), step: fc.nat(4), metrics };
const report = fc.oneof(
  { weight: 3, arbitrary: fc.record(reported, { noNullPrototype: true }) },
  { weight: 2, arbitrary: fc.record({ ...reported, checkpoint: artifact }, { noNullPrototype: true }) },
  { weight: 1, arbitrary: fc.record({ ...reported, file }, { noNullPrototype: true }) },
);
const restore = fc.record({
  epoch: fc.constantFrom(...EPOCHS),
  attempt: fc.integer({ min: 1, max: 3 }),
  step: fc.nat(4),
  sha256: hash,
  bytes: fc.nat(9),
}, { noNullPrototype: true });

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  metrics.map((each): Outcome => ({ state: "completed", metrics: each })),
  metrics.map((each): Outcome => ({ state: "pruned", metrics: each })),
  fc.constant<Outcome>({ state: "cancelled" }),
  fc.record({
    state: fc.constant("failed" as const),
    cause: fc.constantFrom("evaluator" as const, "crash" as const),
    message: text,
    stack: fc.option(text, { nil: undefined }),
  }),
);

const trial = fc.record({
  candidate: fc.json({ maxDepth: 1 }),
  hash: text,
  parents: fc.array(number, { maxLength: 2 }),
  toldBefore: fc.nat(5),
});

const submission = fc.integer({ min: 0, max: 3 }).chain((count) =>
  fc.record({
    type: fc.constant("tasks_submitted" as const),
    group,
    first: number,
    payloads: fc.array(bytes, { minLength: count, maxLength: count }),
    trials: fc.option(fc.array(trial, { minLength: count, maxLength: count }), { nil: undefined }),
    atMs,
  })
);

const objectives = fc.constantFrom("minimize", "maximize").map((
  direction,
) => [{ metric: "loss", direction }]);
const spec = fc.record({ objectives, budget: fc.record({ trials: fc.nat(9) }) }, { requiredKeys: [] })
  .map((each) => JSON.stringify(each));

const simple: fc.Arbitrary<StoreChange> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("group_added" as const),
      group,
      template: bytes,
      code: fc.option(hash, { nil: undefined }),
    }),
  },
  { weight: 6, arbitrary: submission },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("attempt_opened" as const),
      lease,
      worker,
      incarnation: fc.constant(incarnation("life")),
      atMs,
      continues: fc.option(restore, { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("attempt_ended" as const),
      lease,
      worker,
      cause: fc.constantFrom("evaluator" as const, "worker_lost" as const, "returned" as const),
      message: text,
      atMs,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(
      lease,
      fc.boolean(),
      worker,
      outcome,
      fc.nat(4),
      fc.double({ min: 0, max: 9, noNaN: true }),
      atMs,
      fc.option(fc.boolean(), { nil: undefined }),
    )
      .map(([by, hasLease, who, how, attempts, elapsedMs, at, keepCheckpoint]): StoreChange => ({
        type: "outcome",
        task: by.task,
        lease: hasLease ? by : undefined,
        worker: who,
        outcome: how,
        attempts,
        elapsedMs,
        atMs: at,
        keepCheckpoint,
      })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("experiment_added" as const),
      experiment: group,
      name: text,
      spec,
      atMs,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("experiment_state" as const),
      experiment: group,
      state: fc.constantFrom(...EXPERIMENT_STATES),
      reason: fc.constantFrom("", "because"),
      atMs,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("reports" as const),
      lease,
      reports: fc.array(report, {
        maxLength: 3,
      }),
      keep: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    }),
  },
);

const change: fc.Arbitrary<StoreChange> = fc.oneof(
  { weight: 9, arbitrary: simple },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("command" as const),
      id: fc.constantFrom("c1", "c2", "c3").map(commandId),
      reply: bytes,
      changes: fc.array(simple, { maxLength: 4 }),
    }),
  },
);

type Step = { readonly type: "open" | "renew" } | {
  readonly type: "commit";
  readonly changes: readonly StoreChange[];
};

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant<Step>({ type: "open" }) },
    { weight: 1, arbitrary: fc.constant<Step>({ type: "renew" }) },
    {
      weight: 32,
      arbitrary: fc.array(change, { maxLength: 8 }).map((changes): Step => ({ type: "commit", changes })),
    },
  ),
  { maxLength: 20 },
);

/** The store in memory and the one in SQLite, side by side. */
class Pair implements Disposable {
  readonly disk = new MemoryDisk();
  readonly database: Database;
  readonly told: unknown[] = [];
  readonly #folder = Deno.makeTempDirSync();
  #batch = 0;

  constructor() {
    this.disk.state.storeId = STORE_ID;
    this.database = new Database({
      path: `${this.#folder}/agreement.db`,
      wallClock: () => NOW_MS,
      randomHex: (digits) => "ab".repeat(digits / 2),
      // Nothing here is about the disk.
      connected: (db) => db.exec("PRAGMA synchronous = OFF"),
    });
  }

  open(renew = false): void {
    if (renew) this.disk.renew();
    const { state } = this.disk;
    this.disk.addEpoch(epochOf(STORE_ID, state.formerEpochs.length + state.epochs.length + 1, MARK));
    const recovered = unpackRecovered(this.database.open({ renew }));
    assert.equal(storeOf(recovered.epoch), STORE_ID);
    assert.deepEqual(comparable(recovered), comparable(recoveredFrom(this.disk.state)));
  }

  commit(changes: readonly StoreChange[]): void {
    const epoch = this.disk.state.epochs.at(-1);
    assert.ok(epoch !== undefined);
    const expected = this.disk.apply(changes);
    const committed = this.database.commit(epoch, ++this.#batch, unpackChanges(packChanges(changes)));
    assert.deepEqual(plain(committed), plain(expected));
    const told = changes.flatMap((each, index) =>
      changesOf(each, committed.verdicts[index] ?? { type: "unknown" })
    );
    if (told.length > 0) this.told.push({ commit: committed.commit, changes: told });
  }

  query<K extends keyof Queries>(kind: K, ask: Queries[K]["ask"]): Queries[K]["answer"] {
    const answer = this.database.query(kind, ask);
    assert.deepEqual(answer, MEMORY_QUERIES[kind](this.disk.state, ask, NOW_MS));
    return answer;
  }

  [Symbol.dispose](): void {
    this.database.close();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

/** The order of attempts is nobody's business. */
function comparable(recovered: Recovered): unknown {
  const attempts = recovered.attempts.map((each) => JSON.stringify(each)).sort();
  const continued = recovered.continued.map((each) => JSON.stringify(each)).sort();
  return plain({ ...recovered, attempts, continued });
}

/** Bytes as numbers: a view and a copy of the same bytes are the same. */
function plain(each: unknown): unknown {
  if (each instanceof Uint8Array) return [...each];
  if (Array.isArray(each)) return each.map(plain);
  if (typeof each !== "object" || each === null) return each;
  return Object.fromEntries(Object.entries(each).map(([key, of]) => [key, plain(of)]));
}

function run(all: readonly Step[]): void {
  using pair = new Pair();
  pair.open();
  for (const step of all) {
    if (step.type === "commit") pair.commit(step.changes);
    else pair.open(step.type === "renew");
  }
  pair.open();
  const feed = pair.query("changes", { after: 0, limit: 10_000 });
  assert.deepEqual(feed.commits, pair.told);
  for (const limit of [1, 3]) assert.deepEqual(pages(pair.database, limit), pair.told);
  for (const id of ["t1", "e2"].map(groupId)) {
    pair.query("counts", { group: id });
    pair.query("experiment", { experiment: id });
    for (const [after, limit] of [[0, 100], [2, 3]] as const) {
      pair.query("history_trials", { experiment: id, after, limit });
      pair.query("history_outcomes", { experiment: id, after, limit });
      pair.query("trials", { experiment: id, after, limit });
    }
    for (let each = 1; each <= 12; each++) {
      pair.query("outcome", { task: taskId(id, each) });
      pair.query("curve", { task: taskId(id, each), after: 0, limit: 9 });
      for (const after of [1, 2, 3]) pair.query("curve", { task: taskId(id, each), after, limit: 1 });
      for (const attempt of [null, 1, 2]) {
        pair.query("files", { task: taskId(id, each), attempt, after: "", limit: 9 });
      }
      pair.query("files", { task: taskId(id, each), attempt: null, after: "a.png", limit: 1 });
    }
  }
  pair.query("artifacts_used", { hashes: ["a", "b", "c", "d", "e"].map((each) => each.repeat(64)) });
  pair.query("experiment", { experiment: "last" });
  pair.query("experiments", { offset: 0, limit: 10 });
}

/** The feed read in small pieces. */
function pages(database: Database, limit: number): readonly unknown[] {
  const commits = [];
  for (let after = 0;;) {
    const page = database.query("changes", { after, limit });
    commits.push(...page.commits);
    if (page.upTo === after) return commits;
    after = page.upTo;
  }
}

Deno.test("SQLite and memory agree on verdicts, recovery and queries, and the feed read later is the feed told live", () => {
  fc.assert(fc.property(steps, run), { numRuns: RUNS });
});
