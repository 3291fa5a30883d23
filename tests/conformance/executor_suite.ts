/**
 * What every executor promises (worker/executors/executor.ts). To add one, run this against it.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { Executor } from "../../worker/executors/executor.ts";
import { attemptOf, observe, type Observed, type Sample } from "./executor_attempts.ts";
import { childGroups, untilGone } from "./executor_processes.ts";

/** An executor and what it is given to run. */
export interface ExecutorCase {
  create(): Executor;
  /** Completes soon, by itself. */
  readonly quick: Sample;
  /** Runs until it is stopped. Absent where no evaluator of this executor does. */
  readonly endless?: Sample | undefined;
}

/** Slots of a large worker. */
const SLOTS = 50;
/** Long enough for whoever looks at its signal. */
const GRACE_MS = 10_000;
/** Where files of tests run side by side, the processes of the others are children of this process too. */
const OTHERS_END_MS = 30_000;

/** Registers the tests of the seam. */
export function testExecutor(name: string, testCase: ExecutorCase): void {
  const { quick, endless } = testCase;

  const test = (sentence: string, body: (executor: Executor) => Promise<void>) =>
    Deno.test(`${name}: ${sentence}`, async () => {
      const executor = testCase.create();
      try {
        await body(executor);
      } finally {
        await executor.close();
      }
    });

  test("an attempt completes with metrics", async (executor) => {
    const observed = observe(executor, attemptOf(quick));
    equal((await observed.ended).state, "completed");
    await assertOneEnd([observed], executor);
  });

  test("an attempt on a slot follows the one before it", async (executor) => {
    const all = [];
    for (let number = 1; number <= 5; number += 1) {
      const observed = observe(executor, attemptOf(quick, 0, number));
      equal((await observed.ended).state, "completed");
      all.push(observed);
    }
    await assertOneEnd(all, executor);
  });

  test("attempts on fifty slots run side by side", async (executor) => {
    const all = Array.from(
      { length: SLOTS },
      (_, slot) => observe(executor, attemptOf(quick, slot, slot + 1)),
    );
    for (const { ended } of all) equal((await ended).state, "completed");
    await assertOneEnd(all, executor);
  });

  test("a stop after the end says nothing", async (executor) => {
    const observed = observe(executor, attemptOf(quick));
    await observed.ended;
    observed.running.stop(0);
    observed.running.stop(GRACE_MS);
    await assertOneEnd([observed], executor);
  });

  test("an attempt after the close ends at once", async (executor) => {
    await executor.close();
    const observed = observe(executor, attemptOf(endless ?? quick));
    deepEqual(await observed.ended, { state: "stopped" });
    await assertOneEnd([observed], executor);
  });

  test("a payload that cannot be read is a final failure, or is not looked at", async (executor) => {
    const payload = Uint8Array.of(0xc1);
    const observed = observe(executor, { ...attemptOf(endless ?? quick), payload });
    const end = await observed.ended;
    ok(end.state === "completed" || (end.state === "failed" && end.final), JSON.stringify(end));
    await assertOneEnd([observed], executor);
  });

  test("an evaluator of another kind is a final failure", async (executor) => {
    const other = executor.kind === "builtin"
      ? { kind: "module", path: "/nowhere.ts" } as const
      : { kind: "builtin", name: "noop" } as const;
    const observed = observe(executor, attemptOf({ ...quick, evaluator: other }));
    const end = await observed.ended;
    ok(end.state === "failed" && end.final, JSON.stringify(end));
    await assertOneEnd([observed], executor);
  });

  if (endless === undefined) return;

  test("a stop before the start is complete ends the attempt", async (executor) => {
    const all = [0, GRACE_MS].map((graceMs, slot) => {
      const observed = observe(executor, attemptOf(endless, slot));
      observed.running.stop(graceMs);
      return observed;
    });
    for (const { ended } of all) deepEqual(await ended, { state: "stopped" });
    await assertOneEnd(all, executor);
  });

  test("two stops make one end", async (executor) => {
    const observed = observe(executor, attemptOf(endless));
    observed.running.stop(GRACE_MS);
    observed.running.stop(0);
    observed.running.stop(GRACE_MS);
    deepEqual(await observed.ended, { state: "stopped" });
    await assertOneEnd([observed], executor);
  });

  test("a slot serves again after a stop", async (executor) => {
    const first = observe(executor, attemptOf(endless));
    first.running.stop(0);
    await first.ended;
    const second = observe(executor, attemptOf(quick));
    equal((await second.ended).state, "completed");
    await assertOneEnd([first, second], executor);
  });

  test("the close ends what runs, and leaves no process", async (executor) => {
    const all = Array.from({ length: 4 }, (_, slot) => observe(executor, attemptOf(endless, slot)));
    const groups = childGroups();
    await executor.close();
    for (const { ended } of all) deepEqual(await ended, { state: "stopped" });
    deepEqual(await untilGone(groups), []);
    await assertOneEnd(all, executor);
  });
}

/** One end each, as the last event, also after the executor has been closed; and no process is left by then. */
async function assertOneEnd(all: readonly Observed[], executor: Executor): Promise<void> {
  const groups = childGroups();
  await executor.close();
  deepEqual(await untilGone(groups, OTHERS_END_MS), []);
  for (const { events } of all) {
    equal(events.filter(({ type }) => type === "ended").length, 1);
    equal(events.at(-1)?.type, "ended");
  }
}
