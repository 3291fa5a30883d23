/**
 * Directed runs of the store: deleted, an older copy put back, the loss accepted, commits of unknown outcome, two masters.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Reply } from "../../../shared/protocol/client_envelopes.ts";
import { StoreHands } from "../store_hands.ts";
import type { CalamityKind } from "../schedule.ts";
import type { World } from "../world.ts";
import type { DirectedRun } from "./directed_run.ts";
import { counts, FAULT_AT_MS, play, submit } from "./stage.ts";

const TASKS = 4;
const ONE_WORKER = [{ slots: TASKS, cpus: TASKS }];
/** By then what was to end has ended. */
const LATER_MS = 20_000;

function handsOn(world: World): (kind: CalamityKind) => void {
  const hands = new StoreHands(world);
  const random = world.random("hands");
  return (kind) => assert(hands.strike(kind, random) !== undefined, `${kind} did nothing`);
}

const storeDeleted: DirectedRun = {
  scenario: "store_deleted",
  run: () => {
    const { report, world } = play({
      workers: ONE_WORKER,
      tasks: TASKS,
      taskMs: 45_000,
      direct: (world) => {
        const hand = handsOn(world);
        world.loop.timer(FAULT_AT_MS, () => hand("storeDeleted"));
        world.loop.timer(70_000, () => submit(world, 1));
      },
    });
    // The new store knows what was asked of it, and nothing of what its worker brought from the old one.
    assert.deepEqual([...world.disk.state.groups.values()].map((group) => group.tasks.size), [1]);
    assert.equal(counts(world).completed, 1);
    const setAside = world.workers[0]?.setAside.length ?? 0;
    assert(setAside <= TASKS);
    assert(
      world.clients[0]?.warnings.some((each) => /store/.test(each)),
      "nobody was told that the store is another",
    );
    return report;
  },
};

/** The tasks are done, then the copy from before their ends is put back. */
function restored(look: (world: World, replies: readonly Reply[]) => void) {
  const replies: Reply[] = [];
  return play({
    workers: ONE_WORKER,
    tasks: TASKS,
    taskMs: 5_000,
    adjust: (plan) => ({ ...plan, activeMs: 200_000 }),
    direct: (world) => {
      const hand = handsOn(world);
      world.loop.timer(FAULT_AT_MS, () => hand("storeCopied"));
      world.loop.timer(LATER_MS, () => {
        assert.equal(counts(world).completed, TASKS);
        hand("storeRestored");
      });
      const whenLost = () => {
        if (world.memory.live?.core.lost === undefined) return void world.loop.timer(100, whenLost);
        submit(world, 1, { answered: (reply) => replies.push(reply) });
      };
      world.loop.timer(LATER_MS, whenLost);
      world.loop.timer(190_000, () => look(world, replies));
    },
  });
}

const storeRestored: DirectedRun = {
  scenario: "store_restored",
  run: () =>
    restored((world, replies) => {
      const [reply] = replies;
      assert(reply !== undefined && !reply.ok, "a submission was taken over an older copy");
      assert.equal(reply.error.code, "store_lost");
      assert.match(reply.error.message, /older copy.*--accept-loss/);
      assert(world.storeLives.life > 0);
    }).report,
};

const lossAccepted: DirectedRun = {
  scenario: "loss_accepted",
  run: () => {
    const { report, world } = restored((world) => {
      assert.equal(world.memory.live?.core.lost, undefined, "the master still waits for a decision");
    });
    const [group] = world.disk.state.groups.values();
    assert(group !== undefined);
    // What the copy had open is run again, once. (What was refused meanwhile may have been asked for again.)
    const begun = [...group.tasks.values()].map(({ id }) => world.executions.countOf(id));
    assert.deepEqual(begun, new Array(TASKS).fill(2));
    assert.equal(group.counts.completed, TASKS);
    return report;
  },
};

const unknownCommit: DirectedRun = {
  scenario: "unknown_commit",
  run: () => {
    // w1 comes back over its old session just before it ends, and w2, which has begun the same tasks, is told to stop and
    // completes at that moment; the disk takes seconds and says of most commits that they failed: so the other result
    // arrives while the first is being written.
    const { report, world } = play({
      workers: [{ slots: TASKS, cpus: 4 }, { slots: TASKS, cpus: 4 }],
      tasks: TASKS,
      taskMs: 28_000,
      adjust: (plan) => ({
        ...plan,
        disk: { ...plan.disk, unanswered: 0.8 },
        evaluator: { ...plan.evaluator, atCancel: 1 },
      }),
      direct: (world) => {
        world.loop.timer(12_000, () => world.network.block("w1", 17_000, "both"));
        world.loop.timer(28_000, () => world.faults.begin("stalled"));
      },
    });
    assert.equal(counts(world).completed, TASKS);
    return report;
  },
};

const twoMasters: DirectedRun = {
  scenario: "two_masters",
  run: () => {
    const { report, world } = play({
      workers: ONE_WORKER,
      tasks: TASKS,
      taskMs: 20_000,
      direct: (world) => {
        const hand = handsOn(world);
        world.loop.timer(FAULT_AT_MS, () => hand("secondMaster"));
        world.loop.timer(60_000, () => {
          assert(world.formerMasters.every((master) => !master.isUp), "the first master goes on");
          assert(world.master.isUp, "the second master has ended");
          assert.equal(counts(world).completed, TASKS);
        });
      },
    });
    assert.deepEqual(counts(world), { begun: TASKS, completed: TASKS });
    return report;
  },
};

/** Those of the store. */
export const STORE_RUNS: readonly DirectedRun[] = [
  storeDeleted,
  storeRestored,
  lossAccepted,
  unknownCommit,
  twoMasters,
];
