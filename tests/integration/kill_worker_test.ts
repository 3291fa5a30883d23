/**
 * Workers that are killed during a search.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { untilGone } from "../conformance/executor_processes.ts";
import { groupsOf } from "./fleet/child_groups.ts";
import { runningOn, startsByTask } from "./fleet/executions.ts";
import { withFleet } from "./fleet/fleet.ts";
import { assertAllCompleted, endsByCause } from "./fleet/ledger.ts";
import { sleepSearch, slowSearch } from "./fleet/specs.ts";
import { assertVerified } from "./fleet/verified.ts";

const TRIALS = 16;
const SLOTS = 2;
/** Ends that count as no failure of the task. */
const UNCOUNTED: ReadonlySet<string> = new Set(["restarted", "duplicate", "cancelled"]);

withFleet(
  "a killed worker's trials run elsewhere, each has one outcome, and its evaluators are gone",
  async (fleet) => {
    const master = await fleet.master();
    const client = await fleet.client();
    const workers = [fleet.worker("w1", { slots: SLOTS }), fleet.worker("w2", { slots: SLOTS })];
    const [victim, other] = workers;
    ok(victim !== undefined && other !== undefined);
    const search = await client.run(slowSearch("killed", TRIALS, 400));
    const changes = Array.fromAsync(search.changes());
    await victim.until(({ ended }) => ended !== undefined);
    await victim.until(() => runningOn(victim).size > 0);
    const evaluators = groupsOf(victim.pid);
    ok(evaluators.size > 0);
    await victim.kill();
    const interrupted = runningOn(victim);
    deepEqual(await untilGone(evaluators), []);

    const again = fleet.worker("w1", { slots: 2 });
    const summary = await search.wait();
    equal(summary.trials.completed, TRIALS);
    equal(summary.open, 0);
    const told = (await changes).flatMap((change) => change.kind === "ended" ? [change.task] : []);
    equal(told.length, TRIALS);
    equal(new Set(told).size, TRIALS);

    await again.kill();
    await master.kill();
    const ledger = assertAllCompleted(fleet.data, TRIALS);
    const { crash = 0, ...others } = endsByCause(ledger);
    // Fewer where another worker had the outcome before the killed one was back.
    ok(crash <= SLOTS, `${crash} attempts on ${SLOTS} slots crashed`);
    // An attempt that was given out again is ended where its worker finds it done elsewhere.
    for (const cause of Object.keys(others)) ok(UNCOUNTED.has(cause), `an attempt ended as ${cause}`);
    const starts = startsByTask([...workers, again]);
    for (const task of interrupted) ok((starts.get(task) ?? 0) >= 2, `${task} was not run again`);
  },
);

withFleet("a worker that comes back as another process has crashed with what it ran", async (fleet) => {
  const master = await fleet.master();
  const client = await fleet.client();
  const victim = fleet.worker("w1", { slots: 2 });
  // Longer than the test waits for it: only the other process can finish what is given to it anew.
  const search = await client.run(sleepSearch("crashed", 2, 1_500));
  await victim.until(() => runningOn(victim).size === 2);
  await victim.kill();
  fleet.worker("w1", { slots: 2 });
  equal((await search.wait()).trials.completed, 2);
  await master.kill();
  const ledger = assertAllCompleted(fleet.data, 2);
  deepEqual(endsByCause(ledger), { crash: 2 });
  deepEqual(ledger.outcomes.map(({ attempts }) => attempts), [2, 2]);
});

withFleet("a worker that never comes back has lost what it ran once the window is over", async (fleet) => {
  const master = await fleet.master({ heartbeatMs: 300, lostAfterMs: 1_000 });
  const client = await fleet.client();
  const victim = fleet.worker("w1", { slots: 2 });
  const search = await client.run(sleepSearch("lost", 2, 600));
  await victim.until(() => runningOn(victim).size === 2);
  await victim.kill();
  let lost = 0;
  for await (const change of search.changes()) {
    if (change.kind === "attempt_ended") lost += 1;
    if (lost === 2) break;
  }
  fleet.worker("w2", { slots: 2 });
  equal((await search.wait()).trials.completed, 2);
  await master.kill();
  const ledger = assertAllCompleted(fleet.data, 2);
  deepEqual(endsByCause(ledger), { worker_lost: 2 });
});

withFleet(
  "a task that kills its worker each time does not walk through the fleet for ever",
  async (fleet) => {
    const master = await fleet.master();
    const client = await fleet.client();
    const poison = await client.submit({
      name: "poison",
      evaluator: { kind: "builtin", name: "sleep" },
      inputs: [{ ms: 600_000 }],
      retry: { crashLimit: 2, backoffMs: 10 },
    });
    let starts = 0;
    let isOver = false;
    const over = poison.wait().then((counts) => {
      isOver = true;
      return counts;
    });
    while (!isOver) {
      const victim = fleet.worker("w1");
      const started = victim.until(({ started }) => started !== undefined).then(() => starts += 1, () => {});
      await Promise.race([started, over]);
      await victim.kill();
      await started;
    }
    equal((await over).failed, 1);
    equal(starts, 3);
    await master.kill();
    equal(assertVerified(fleet.data).outcomes, 1);
  },
);

withFleet("the digits are searched to the end though a worker is killed", async (fleet) => {
  const master = await fleet.master();
  const client = await fleet.client();
  const victim = fleet.worker("w1");
  fleet.worker("w2");
  const search = await client.run({
    name: "digits",
    space: { kind: "cnn", classes: 10, input: [8, 8, 1] },
    optimizer: { kind: "genetic", seed: 1, population: 4 },
    evaluator: {
      kind: "module",
      path: new URL("../../examples/digits/evaluate.ts", import.meta.url).pathname,
    },
    objectives: [{ metric: "accuracy", direction: "maximize" }],
    budget: { trials: 3 },
  });
  await victim.until(({ started }) => started !== undefined);
  const evaluators = groupsOf(victim.pid);
  await victim.kill();
  deepEqual(await untilGone(evaluators), []);
  fleet.worker("w1");
  const { best, trials } = await search.wait();
  equal(trials.completed, 3);
  const { accuracy = 0 } = best?.metrics ?? {};
  ok(accuracy > 0.5, `the best accuracy is ${accuracy}`);
  await master.kill();
  assertAllCompleted(fleet.data, 3);
});
