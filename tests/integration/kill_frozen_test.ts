/**
 * Workers that are frozen for longer than anyone waits, and thaw.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { Client } from "../../client/mod.ts";
import { type Fleet, withFleet } from "./fleet/fleet.ts";
import { assertAllCompleted, endsByCause } from "./fleet/ledger.ts";
import { untilWorkerIs } from "./fleet/live.ts";
import type { Member } from "./fleet/member.ts";

/** Doubtful after 750 ms, left after 1.25 s, lost after 2 s. */
const SHORT = { heartbeatMs: 500, lostAfterMs: 2_000 };

/** A master, two workers, and a task that one of them has begun. */
async function begun(fleet: Fleet, ms: number) {
  const master = await fleet.master(SHORT);
  const client = await fleet.client();
  const workers = [fleet.worker("w1"), fleet.worker("w2")] as const;
  const task = await sleep(client, [ms]);
  const started = await Promise.race(workers.map(async (worker) => {
    await worker.until(({ started }) => started !== undefined);
    return worker;
  }));
  const idle = workers[0] === started ? workers[1] : workers[0];
  return { master, client, frozen: started, idle, task };
}

function sleep(client: Client, spans: readonly number[]) {
  return client.submit({
    name: "nap",
    evaluator: { kind: "builtin", name: "sleep" },
    inputs: spans.map((ms) => ({ ms })),
  });
}

const hasStarted = (worker: Member) => worker.until(({ started }) => started !== undefined);

withFleet("a frozen worker's task runs elsewhere; thawed, it goes on, since it is further", async (fleet) => {
  const { master, frozen, idle, task } = await begun(fleet, 4_000);
  frozen.signal("SIGSTOP");
  await hasStarted(idle);
  frozen.signal("SIGCONT");
  equal((await idle.until(({ ended }) => ended !== undefined)).state, "stopped");
  equal((await task.wait()).completed, 1);
  equal((await frozen.until(({ ended }) => ended !== undefined)).state, "completed");
  await master.kill();
  const { outcomes } = assertAllCompleted(fleet.data, 1);
  deepEqual(outcomes.map(({ attempts }) => attempts), [2]);
});

withFleet("a frozen worker whose task was completed elsewhere thaws to be of use again", async (fleet) => {
  const { master, client, frozen, idle, task } = await begun(fleet, 1_000);
  frozen.signal("SIGSTOP");
  await hasStarted(idle);
  equal((await task.wait()).completed, 1);
  await untilWorkerIs(client, "gone");
  frozen.signal("SIGCONT");
  // Its attempt has nothing to wait for: however it ends, that is no second outcome.
  await frozen.until(({ ended }) => ended !== undefined);
  const more = await sleep(client, [800, 800]);
  equal((await more.wait()).completed, 2);
  for (const worker of [frozen, idle]) {
    const tasks = worker.words.flatMap(({ started }) => started ?? []);
    equal(tasks.length, 2, `process ${worker.pid} ran ${tasks}`);
  }
  await master.kill();
  const ledger = assertAllCompleted(fleet.data, 3);
  ok((endsByCause(ledger)["worker_lost"] ?? 0) <= 1);
});
