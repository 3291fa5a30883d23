/**
 * A master that is killed and started again twenty times during a search, beside attempts that are longer than all that.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { startsByTask } from "./fleet/executions.ts";
import { withFleet } from "./fleet/fleet.ts";
import { assertAllCompleted, endsByCause, readLedger, untilOpenRows } from "./fleet/ledger.ts";
import { sleepSearch } from "./fleet/specs.ts";
import { assertVerified } from "./fleet/verified.ts";

const TRIALS = 2_000;
const KILLS = 20;
const LONG = 2;
const LONG_MS = 20_000;

withFleet(
  "a master killed twenty times loses and doubles none of 2,000 trials, and attempts of 20 s run on over it",
  async (fleet) => {
    let master = await fleet.master();
    const client = await fleet.client();
    // Eight slots for the trials, and one on each worker for what is long.
    const workers = [fleet.worker("w1", { slots: 5 }), fleet.worker("w2", { slots: 5 })];
    const long = await client.submit({
      name: "long",
      evaluator: { kind: "builtin", name: "sleep" },
      inputs: Array.from({ length: LONG }, () => ({ ms: LONG_MS })),
      priority: 1,
    });
    await untilOpenRows(fleet.data, LONG);

    const told = new Map<string, number>();
    let reached = () => {};
    const search = await client.run(sleepSearch("short", TRIALS, 10), {
      onTrial: ({ task }) => {
        told.set(task, (told.get(task) ?? 0) + 1);
        reached();
      },
    });
    for (let kill = 1; kill <= KILLS; kill++) {
      while (told.size < TRIALS * kill / (KILLS + 1)) await new Promise<void>((resolve) => reached = resolve);
      await master.kill();
      const stored = new Set(readLedger(fleet.data).outcomes.map(({ task }) => task));
      for (const task of told.keys()) {
        ok(stored.has(task), `${task} was told before kill ${kill} and is not stored`);
      }
      master = await fleet.master();
    }
    const { trials } = await search.wait();
    equal(trials.completed, TRIALS);
    equal((await long.wait()).completed, LONG);
    deepEqual([...told.values()].filter((times) => times !== 1), []);
    equal(told.size, TRIALS);

    const report = assertVerified(fleet.data);
    equal(report.epochs, KILLS + 1);
    const ledger = assertAllCompleted(fleet.data, TRIALS + LONG);
    const {
      returned: _returned,
      never_received: _never,
      duplicate: _duplicate,
      restarted: _restarted,
      ...counted
    } = endsByCause(ledger);
    deepEqual(counted, {}, "a kill of the master is no failure of a task");
    const starts = startsByTask(workers);
    for (let number = 1; number <= LONG; number++) {
      equal(starts.get(`${long.groups[0]}/${number}`), 1, `long task ${number} was run again`);
    }
    await Promise.all([master, ...workers].map((member) => member.kill()));
  },
  { timeout: 120_000 },
);
