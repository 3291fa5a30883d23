/**
 * Masters that are killed during a search, and started again over the same folder.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { Change, TaskOutcome } from "../../client/mod.ts";
import { completionsByTask, runningOn, startsByTask } from "./fleet/executions.ts";
import { Fleet, withFleet } from "./fleet/fleet.ts";
import { assertAllCompleted, endsByCause, readLedger, untilOpenRows } from "./fleet/ledger.ts";
import type { Member } from "./fleet/member.ts";
import { slowSearch } from "./fleet/specs.ts";

withFleet(
  "a search goes on by itself after its master was killed, and what ran over the kill is kept",
  async (fleet) => {
    const trials = 6;
    let master = await fleet.master();
    const client = await fleet.client();
    const workers = [fleet.worker("w1"), fleet.worker("w2")];
    const search = await client.run(slowSearch("master", trials, 1_600));
    const changes = Array.fromAsync(search.changes());
    await Promise.all(workers.map((worker) => worker.until(({ ended }) => ended !== undefined)));
    await Promise.all(workers.map((worker) => worker.until(() => runningOn(worker).size > 0)));
    await untilOpenRows(fleet.data, 2);
    await master.kill();
    const kept = workers.flatMap((worker) => [...runningOn(worker)]);
    const acknowledged = readLedger(fleet.data).outcomes;

    master = await fleet.master();
    const { trials: counts } = await search.wait();
    equal(counts.completed, trials);
    assertWholeLog(await changes, trials);
    await master.kill();
    const ledger = assertAllCompleted(fleet.data, trials);
    deepEqual(ledger.outcomes.slice(0, acknowledged.length), acknowledged);
    ok(kept.length > 0);
    const starts = startsByTask(workers);
    for (const task of kept) equal(starts.get(task), 1, `${task} ran over the kill and was run again`);
    deepEqual(endsByCause(ledger), {});
  },
);

withFleet(
  "tasks that end while no master runs are recorded when one does, and not run again",
  async (fleet) => {
    let master = await fleet.master();
    const client = await fleet.client();
    const worker = fleet.worker("w1", { slots: 4 });
    const tasks = await client.submit({
      name: "told",
      evaluator: { kind: "builtin", name: "sleep" },
      inputs: [2_000, 2_100, 2_200, 2_300].map((ms) => ({ ms })),
    });
    await worker.until(() => runningOn(worker).size === 4);
    await untilOpenRows(fleet.data, 4);
    await master.kill();
    await worker.until(() => runningOn(worker).size === 0);
    master = await fleet.master();
    equal((await tasks.wait()).completed, 4);
    deepEqual([...startsByTask([worker]).values()], [1, 1, 1, 1]);
    await master.kill();
    assertAllCompleted(fleet.data, 4);
  },
);

const TASKS = 2_000;
const KILLS = 10;
/** Fewer where more is killed each time. */
const DOUBLE_KILLS = 5;

withFleet(
  "a master that is killed at ten moments loses and doubles none of 2,000 short tasks",
  async (fleet) => {
    let master = await fleet.master();
    const workers = [fleet.worker("w1", { slots: 4 }), fleet.worker("w2", { slots: 4 })];
    const { outcomes, over } = await submitShort(fleet);
    for (let kill = 1; kill <= KILLS; kill++) {
      // Moments are those of the work, which differ in each run, and not of a clock.
      await outcomes.reached(TASKS * kill / (KILLS + 1));
      await master.kill();
      master = await fleet.master();
    }
    equal((await over).completed, TASKS);
    await assertOnce(fleet, master, workers, outcomes.all);
  },
);

withFleet(
  "masters and workers that are killed in turn lose and double none of 2,000 short tasks",
  async (fleet) => {
    let master = await fleet.master();
    const names = ["w1", "w2"];
    const lives = new Map(names.map((name) => [name, fleet.worker(name, { slots: 4 })]));
    const workers = [...lives.values()];
    const { outcomes, over } = await submitShort(fleet);
    for (let kill = 1; kill <= DOUBLE_KILLS; kill++) {
      await outcomes.reached(TASKS * kill / (DOUBLE_KILLS + 1));
      const name = names[kill % names.length] ?? "";
      await Promise.all([kill % 3 === 0 ? undefined : lives.get(name)?.kill(), master.kill()]);
      master = await fleet.master();
      if (kill % 3 === 0) continue;
      const next = fleet.worker(name, { slots: 4 });
      lives.set(name, next);
      workers.push(next);
    }
    equal((await over).completed, TASKS);
    await assertOnce(fleet, master, workers, outcomes.all);
  },
);

/** Tells of a number of outcomes when it is reached. */
class Outcomes {
  readonly all: TaskOutcome[] = [];
  #count = Infinity;
  #tell = () => {};

  add(outcomes: readonly TaskOutcome[]): void {
    this.all.push(...outcomes);
    if (this.all.length >= this.#count) this.#tell();
  }

  reached(count: number): Promise<void> {
    if (this.all.length >= count) return Promise.resolve();
    return new Promise((resolve) => {
      this.#count = count;
      this.#tell = resolve;
    });
  }
}

async function submitShort(fleet: Fleet) {
  const client = await fleet.client();
  const outcomes = new Outcomes();
  const handle = await client.submit({
    name: "short",
    evaluator: { kind: "builtin", name: "sleep" },
    inputs: Array.from({ length: TASKS }, (_, i) => ({ ms: 1 + i % 10 })),
    // However often its worker dies with it: none of these tasks is at fault.
    retry: { crashLimit: 1_000, backoffMs: 1 },
    onOutcomes: (more) => outcomes.add(more),
  });
  return { outcomes, over: handle.wait() };
}

/** What was told, what is stored and what was run agree. */
async function assertOnce(
  fleet: Fleet,
  master: Member,
  workers: readonly Member[],
  told: readonly TaskOutcome[],
): Promise<void> {
  equal(told.length, TASKS);
  await master.kill();
  assertAllCompleted(fleet.data, TASKS);
  await Promise.all(workers.map((worker) => worker.kill()));
  const completions = completionsByTask(workers);
  ok(completions.size >= TASKS - 1, `only ${completions.size} tasks were seen to complete`);
}

/** No change is missing, none came twice: each trial is submitted once, in order, and ends once. */
function assertWholeLog(changes: readonly Change[], trials: number): void {
  // Those that came with the reply to `run` were told before anyone could listen.
  let next = changes.find((change) => change.kind === "submitted")?.first;
  const ended = new Set<string>();
  for (const change of changes) {
    if (change.kind === "submitted") {
      equal(change.first, next);
      next = change.first + change.count;
    }
    if (change.kind !== "ended") continue;
    ok(!ended.has(change.task), `${change.task} was told twice`);
    ended.add(change.task);
  }
  equal(next, trials + 1);
  equal(ended.size, trials);
  const last = changes.at(-1);
  equal(last?.kind === "experiment" ? last.state : undefined, "completed");
}
