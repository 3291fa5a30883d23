/**
 * Workers and masters that are frozen for longer than anyone waits, and thaw.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { HEARTBEAT_DEFAULT_MS, LOST_DEFAULT_MS } from "../../shared/protocol/limits.ts";
import type { Client } from "../../client/mod.ts";
import { runningOn, startsByTask } from "./fleet/executions.ts";
import { type Fleet, withFleet } from "./fleet/fleet.ts";
import { assertAllCompleted, endsByCause } from "./fleet/ledger.ts";
import { untilWorkerIs } from "./fleet/live.ts";
import { assertVerified } from "./fleet/verified.ts";
import type { Member } from "./fleet/member.ts";

/** Doubtful after 750 ms, left after 1.25 s, lost after 2 s. */
const SHORT = { heartbeatMs: 500, lostAfterMs: 2_000 };

/** A master, two workers, and a task that one of them has begun. */
async function begun(fleet: Fleet, ms: number, intervals = SHORT) {
  const master = await fleet.master(intervals);
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

withFleet(
  "at default settings a frozen worker's task starts elsewhere within 16 s",
  async (fleet) => {
    const defaults = { heartbeatMs: HEARTBEAT_DEFAULT_MS, lostAfterMs: LOST_DEFAULT_MS };
    const { master, frozen, idle, task } = await begun(fleet, 60_000, defaults);
    frozen.signal("SIGSTOP");
    const stoppedAtMs = performance.now();
    await hasStarted(idle);
    const tookMs = performance.now() - stoppedAtMs;
    ok(tookMs < 16_000, `it took ${tookMs} ms`);
    frozen.signal("SIGCONT");
    // The one that ran before is further.
    equal((await idle.until(({ ended }) => ended !== undefined)).state, "stopped");
    await task.cancel();
    equal((await task.wait()).cancelled, 1);
    await master.kill();
    equal(assertVerified(fleet.data).outcomes, 1);
  },
);

withFleet("a frozen master thaws to find its worker's results, and has nothing run twice", async (fleet) => {
  const master = await fleet.master(SHORT);
  const client = await fleet.client();
  const worker = fleet.worker("w1", { slots: 2 });
  const tasks = await sleep(client, [3_000, 3_100, 50, 50, 50]);
  await worker.until(() => runningOn(worker).size === 2);
  master.signal("SIGSTOP");
  // Longer than a silent worker is waited for.
  await worker.until(() => runningOn(worker).size === 0);
  master.signal("SIGCONT");
  equal((await tasks.wait()).completed, 5);
  deepEqual([...startsByTask([worker]).values()], [1, 1, 1, 1, 1]);
  await master.kill();
  const ledger = assertAllCompleted(fleet.data, 5);
  deepEqual(endsByCause(ledger), {});
});

withFleet(
  "a machine that slept with all of a cluster on it wakes to nothing lost and nothing run twice",
  async (fleet) => {
    const master = await fleet.master(SHORT);
    const client = await fleet.client();
    const workers = [fleet.worker("w1", { slots: 2 }), fleet.worker("w2", { slots: 2 })];
    const tasks = await sleep(client, Array.from({ length: 8 }, (_, index) => 1_000 + 100 * index));
    await Promise.all(workers.map((worker) => worker.until(() => runningOn(worker).size === 2)));
    const members = [master, ...workers];
    for (const member of members) member.signal("SIGSTOP");
    // Nobody is awake to tell that the time is over; this is longer than a silent worker is waited for.
    await new Promise((resolve) => setTimeout(resolve, SHORT.lostAfterMs * 1.5));
    for (const member of members) member.signal("SIGCONT");
    equal((await tasks.wait()).completed, 8);
    deepEqual([...startsByTask(workers).values()], Array(8).fill(1));
    await master.kill();
    deepEqual(endsByCause(assertAllCompleted(fleet.data, 8)), {});
  },
);
