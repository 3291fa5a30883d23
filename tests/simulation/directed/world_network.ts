/**
 * Directed runs of the network: late frames, sockets that end twice, half-open connections, lost replies.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Reply } from "../../../shared/protocol/client_envelopes.ts";
import type { Plan } from "../plan.ts";
import type { World } from "../world.ts";
import type { DirectedRun } from "./directed_run.ts";
import { connectionOf, counts, FAULT_AT_MS, play, SUBMIT_AT_MS } from "./stage.ts";

const TASKS = 4;
const ONE_WORKER = [{ slots: TASKS, cpus: TASKS }];

const slowNetwork = (delayMs: number) => (plan: Plan): Plan => ({
  ...plan,
  network: { ...plan.network, delayMs: { min: delayMs, max: delayMs } },
});

/** Calls once the evaluators that ran have ended: their results are on their way. */
function whenEnded(world: World, call: () => void): void {
  let hasBegun = false;
  const look = () => {
    hasBegun ||= world.executions.running > 0;
    if (hasBegun && world.executions.running === 0) call();
    else world.loop.timer(50, look);
  };
  look();
}

const lateFrame: DirectedRun = {
  scenario: "late_frame",
  run: () => {
    // The results are on their way for 1 s; then for 6 s more, while the worker brings them over a new session.
    const { report, world } = play({
      workers: ONE_WORKER,
      tasks: TASKS,
      taskMs: 5_000,
      adjust: slowNetwork(1_000),
      direct: (world) => {
        whenEnded(world, () => connectionOf(world, "w1").holdBack("dialer", world.loop.now() + 6_000));
      },
    });
    assert.deepEqual(counts(world), { begun: TASKS, completed: TASKS });
    return report;
  },
};

const closeTwice: DirectedRun = {
  scenario: "close_twice",
  run: () => {
    const { report, world } = play({
      workers: ONE_WORKER,
      tasks: TASKS,
      taskMs: 20_000,
      direct: (world) => {
        const idleOut = (node: string, side: "master" | "dialer") => {
          connectionOf(world, node).idleOut(side);
          world.reached("close_twice");
        };
        world.loop.timer(FAULT_AT_MS, () => {
          idleOut("w1", "master");
          idleOut("c1", "master");
        });
        world.loop.timer(2 * FAULT_AT_MS, () => {
          idleOut("w1", "dialer");
          idleOut("c1", "dialer");
        });
      },
    });
    assert.deepEqual(
      counts(world),
      { begun: TASKS, completed: TASKS },
      "a socket that ended twice cost a run",
    );
    return report;
  },
};

const halfOpen: DirectedRun = {
  scenario: "half_open",
  run: () => {
    const { report, world } = play({
      workers: ONE_WORKER,
      tasks: TASKS,
      taskMs: 45_000,
      direct: (world) => {
        world.loop.timer(FAULT_AT_MS, () => {
          connectionOf(world, "w1").vanish(undefined);
          connectionOf(world, "c1").vanish(undefined);
          world.reached("half_open");
        });
      },
    });
    // Both sides notice by their heartbeats within 25 s, before the silence counts as a loss.
    assert.deepEqual(counts(world), { begun: TASKS, completed: TASKS });
    return report;
  },
};

const replyLost: DirectedRun = {
  scenario: "reply_lost",
  run: () => {
    const replies: Reply[] = [];
    const delayMs = 500;
    const { report, world } = play({
      workers: ONE_WORKER,
      tasks: TASKS,
      taskMs: 1_000,
      adjust: slowNetwork(delayMs),
      direct: (world) => {
        const requests = () => [...world.clients[0]?.requests.values() ?? []];
        // By then the master has the submission, and its reply is on its way.
        world.loop.timer(SUBMIT_AT_MS + delayMs * 1.5, () => {
          assert.equal(world.disk.state.groups.size, 1, "the submission is not durable");
          assert.equal(requests()[0]?.reply, undefined, "the reply is there");
          connectionOf(world, "c1").vanish("dialer");
        });
        world.loop.timer(60_000, () => {
          for (const { reply } of requests()) if (reply !== undefined) replies.push(reply);
        });
      },
    });
    assert.equal(world.disk.state.groups.size, 1, "it was submitted twice");
    const [group] = world.disk.state.groups.keys();
    assert.deepEqual(replies.map((reply) => reply.ok && reply.value), [{ group, first: 1, count: TASKS }]);
    assert.deepEqual(counts(world), { begun: TASKS, completed: TASKS });
    return report;
  },
};

/** Those of the network. */
export const NETWORK_RUNS: readonly DirectedRun[] = [lateFrame, closeTwice, halfOpen, replyLost];
