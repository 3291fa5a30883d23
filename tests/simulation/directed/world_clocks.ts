/**
 * Directed runs of clocks: a worker whose clock is off, a laptop that slept.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { DirectedRun } from "./directed_run.ts";
import { counts, FAULT_AT_MS, play } from "./stage.ts";

const TASKS = 4;
const HOUR_MS = 3_600_000;

const clockOff: DirectedRun = {
  scenario: "clock_off",
  run: () => {
    const taskMs = 20_000;
    const { report, world } = play({
      workers: [{ slots: 2, cpus: 2, clockOffMs: -30 * HOUR_MS }, {
        slots: 2,
        cpus: 2,
        clockOffMs: 30 * HOUR_MS,
      }],
      tasks: TASKS,
      taskMs,
      direct: (world) => {
        // And while they run, somebody corrects one of them.
        world.loop.timer(FAULT_AT_MS, () => world.workers[0]?.setWallClock(30 * HOUR_MS));
      },
    });
    assert.deepEqual(counts(world), { begun: TASKS, completed: TASKS });
    const outcomes = [...world.disk.state.groups.values()].flatMap((group) =>
      [...group.tasks.values()].map(({ outcome }) => outcome)
    );
    for (const outcome of outcomes) {
      assert(outcome !== undefined);
      assert(Math.abs(outcome.elapsedMs - taskMs) < 100, `it took ${outcome.elapsedMs} ms by its own words`);
      const ageMs = world.loop.wallClock() - outcome.atMs;
      assert(ageMs >= 0 && ageMs < 200_000, `its end is dated ${ageMs} ms ago`);
    }
    return report;
  },
};

const slept: DirectedRun = {
  scenario: "slept",
  run: () => {
    const { report, world } = play({
      workers: [{ slots: 2, cpus: 4 }, { slots: 4, cpus: 4 }],
      tasks: TASKS,
      taskMs: 50_000,
      adjust: (plan) => ({ ...plan, activeMs: 900_000 }),
      direct: (world) => {
        const laptop = world.workers.slice(0, 1);
        world.loop.timer(FAULT_AT_MS, () => laptop.forEach((node) => node.sleep()));
        world.loop.timer(600_000, () => {
          assert.equal(counts(world).completed, TASKS, "the others waited for the laptop");
          laptop.forEach((node) => node.goOn());
        });
      },
    });
    const { begun, completed } = counts(world);
    assert.equal(completed, TASKS);
    assert(begun > TASKS && begun <= TASKS + 2, `${begun} executions: only the laptop's begin again`);
    return report;
  },
};

/** Those of clocks. */
export const CLOCK_RUNS: readonly DirectedRun[] = [clockOff, slept];
