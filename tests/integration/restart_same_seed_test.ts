/**
 * One slot, one seed, one search.
 *
 * @module
 */
import { deepEqual, equal, notDeepEqual } from "node:assert/strict";
import type { SpecInput } from "../../client/mod.ts";
import { withFleet } from "./fleet/fleet.ts";
import { assertAllCompleted } from "./fleet/ledger.ts";
import { slowSearch } from "./fleet/specs.ts";

const TRIALS = 24;
const KILL_AFTER = [8, 17];

function search(seed: number): SpecInput {
  return slowSearch("seeded", TRIALS, 20, {
    optimizer: { kind: "genetic", seed, population: 6, elitism: 1 },
  });
}

withFleet(
  "with one slot a seed gives one search, also where the master is killed in its midst",
  async (fleet) => {
    let master = await fleet.master();
    const client = await fleet.client();
    fleet.worker("w1");
    await (await client.run(search(7))).wait();

    const killed = await client.run(search(7));
    for (const trials of KILL_AFTER) {
      let ended = 0;
      for await (const change of killed.changes()) {
        if (change.kind === "ended") ended = Number(change.task.split("/")[1]);
        if (ended >= trials) break;
      }
      await master.kill();
      master = await fleet.master();
    }
    equal((await killed.wait()).trials.completed, TRIALS);
    await (await client.run(search(8))).wait();
    await master.kill();

    const { trials } = assertAllCompleted(fleet.data, 3 * TRIALS);
    // Each names what was proposed, and after how many outcomes.
    const search7 = trials.slice(0, TRIALS).map(({ candidate, told_before }) => ({ candidate, told_before }));
    const again = trials.slice(TRIALS, 2 * TRIALS).map(({ candidate, told_before }) => ({
      candidate,
      told_before,
    }));
    const search8 = trials.slice(2 * TRIALS).map(({ candidate, told_before }) => ({
      candidate,
      told_before,
    }));
    deepEqual(again, search7);
    notDeepEqual(search8, search7);
  },
);
