/**
 * Directed runs of processes that end and begin: workers' and the cluster's own.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { World } from "../world.ts";
import type { DirectedRun } from "./directed_run.ts";
import { assertCompleted, cutOff, holder, leaseRun, ONE_SLOT } from "./lease_stage.ts";
import { connectionOf, FAULT_AT_MS, SUBMIT_AT_MS } from "./stage.ts";

const first = ({ workers }: World): World["workers"][number] => {
  const [worker] = workers;
  assert(worker !== undefined);
  return worker;
};

const newLifeRun = leaseRun("new_life_with_results", {
  workers: [ONE_SLOT],
  taskMs: 5_000,
  script: [
    [FAULT_AT_MS, cutOff(9_000)],
    [8_000, (world) => first(world).kill()],
    [8_500, (world) => first(world).start()],
  ],
  expect: ({ task, begun }) => {
    // Its disk spared the rerun.
    assertCompleted(task, 1, []);
    assert.equal(begun, 1);
  },
});

const neverReceivedRun = leaseRun("never_received", {
  workers: [ONE_SLOT],
  taskMs: 5_000,
  script: [
    [SUBMIT_AT_MS - 100, (world) => world.network.block("w1", 2_500, "in")],
    // What waits in the connection is lost with it.
    [SUBMIT_AT_MS + 2_000, (world) => connectionOf(world, "w1").vanish("dialer")],
  ],
  expect: ({ task, begun }) => {
    assertCompleted(task, 2, ["never_received"]);
    assert.equal(begun, 1, "what never came was begun");
  },
});

const twoProcessesRun = leaseRun("one_id_two_processes", {
  workers: [ONE_SLOT],
  taskMs: 20_000,
  script: [
    [FAULT_AT_MS, (world) => {
      const twin = first(world).twin("w1twin");
      world.twins.push(twin);
      twin.start();
    }],
  ],
  expect: ({ task, begun }) => {
    assertCompleted(task, 1, []);
    assert.equal(begun, 1);
  },
});

const powerCycleRun = leaseRun("power_cycle", {
  workers: [ONE_SLOT],
  taskMs: 20_000,
  script: [
    [FAULT_AT_MS, (world) => first(world).kill("machine")],
    [FAULT_AT_MS + 1_000, (world) => first(world).start()],
    [FAULT_AT_MS + 6_000, (world) => assert.equal(world.executions.running, 1, "it has not begun again")],
  ],
  expect: ({ task, begun }) => {
    assertCompleted(task, 2, ["crash"]);
    assert.equal(begun, 2);
  },
});

const restartedRun = leaseRun("cluster_restarted_in_process", {
  taskMs: 60_000,
  script: [
    // Nobody is told: the other begins after 15 s of silence, and runs long enough to have a row.
    [FAULT_AT_MS, (world) => world.network.block(holder(world).name, 26_000, "both")],
    [FAULT_AT_MS + 19_000, (world) => {
      assert.equal(world.executions.running, 2, "the task does not run twice yet");
      world.master.killActor((actors) =>
        actors.find(({ path }) => path.endsWith("/cluster")) ?? assert.fail("there is no cluster")
      );
    }],
  ],
  expect: ({ task, begun }) => {
    // The longer run is kept, by a cluster that was not there when either began.
    assertCompleted(task, 1, ["duplicate"]);
    assert.equal(begun, 2);
  },
});

/** Those of lives. */
export const LIFE_RUNS: readonly DirectedRun[] = [
  newLifeRun,
  neverReceivedRun,
  twoProcessesRun,
  powerCycleRun,
  restartedRun,
];
