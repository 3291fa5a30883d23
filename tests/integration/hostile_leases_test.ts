/**
 * Workers that claim what was never theirs.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { runningOn } from "./fleet/executions.ts";
import { type Fleet, withFleet } from "./fleet/fleet.ts";
import { assertAllCompleted } from "./fleet/ledger.ts";
import { type Heard, Peer, registration } from "./fleet/peer.ts";

const METRICS = { ms: -1 };

withFleet("a worker that claims another's lease is told to stop, and the owner goes on", async (fleet) => {
  const { master, honest, epoch, task, over } = await held(fleet);
  for (const attempt of [1, 7]) {
    const lease = { epoch, task, attempt, state: "running", elapsedMs: 1_000_000_000 };
    const { peer, welcome } = await join(fleet, `thief-${attempt}`, [lease]);
    deepEqual(welcome["keep"], [false]);
    ok(!honest.words.some(({ ended }) => ended === task), "the owner was told to end");
    await peer.close();
  }
  equal((await over).completed, 1);
  await master.kill();
  assertAllCompleted(fleet.data, 1);
});

withFleet("results for tasks that were never given are answered, and recorded nowhere", async (fleet) => {
  const { master, epoch, task, over } = await held(fleet);
  const { peer } = await join(fleet, "liar", []);
  const otherStore = epoch.replace(/^[0-9a-f]{32}/, "f".repeat(32));
  const claims = [
    { epoch, task: "nothing.1/1", attempt: 1 },
    { epoch, task: task.replace(/1$/, "999"), attempt: 1 },
    { epoch: otherStore, task, attempt: 1 },
    { epoch: epoch.replace(/\.\d+\.\w+$/, ".99.00000000"), task, attempt: 1 },
    { epoch, task, attempt: 9 },
  ];
  for (const lease of claims) {
    peer.say({ type: "result", ...lease, end: { state: "completed", metrics: METRICS }, elapsedMs: 1 });
    const answer = await peer.until((each) =>
      each["type"] === "acknowledge" && each["task"] === lease.task && each["epoch"] === lease.epoch
    );
    equal(answer["verdict"], "unknown");
  }
  await peer.close();
  // What was given to another is as unknown: neither a failure nor a measurement of it counts.
  const failure = { state: "failed", cause: "evaluator", message: "a lie", final: true };
  for (const end of [failure, { state: "completed", metrics: METRICS }]) {
    const { peer: thief } = await join(fleet, "thief", []);
    thief.say({ type: "result", epoch, task, attempt: 1, end, elapsedMs: 1 });
    const answer = await thief.until((each) => each["type"] === "acknowledge" && isLease(each, epoch, task));
    equal(answer["verdict"], "unknown", JSON.stringify(end));
    await thief.close();
  }
  equal((await over).completed, 1);
  await master.kill();
  const { outcomes } = assertAllCompleted(fleet.data, 1);
  deepEqual(outcomes.map(({ attempts, metrics }) => [attempts, metrics]), [[1, '{"ms":1800}']]);
});

/** A task that an honest worker runs, and the epoch. */
async function held(fleet: Fleet) {
  const master = await fleet.master();
  const client = await fleet.client();
  const honest = fleet.worker("w1");
  const handle = await client.submit({
    name: "held",
    evaluator: { kind: "builtin", name: "sleep" },
    inputs: [{ ms: 1_800 }],
  });
  await honest.until(() => runningOn(honest).size === 1);
  const { peer, welcome } = await join(fleet, "scout", []);
  await peer.close();
  return {
    master,
    honest,
    epoch: String(welcome["epoch"]),
    task: `${handle.groups[0]}/1`,
    over: handle.wait(),
  };
}

async function join(fleet: Fleet, name: string, leases: readonly unknown[]) {
  const peer = new Peer(fleet.url, fleet.token("worker"));
  ok(await peer.opened);
  peer.say(registration(name, leases));
  return { peer, welcome: await peer.until(({ type }) => type === "welcome") };
}

function isLease(each: Heard, epoch: string, task: string): boolean {
  return each["epoch"] === epoch && each["task"] === task;
}
