import assert from "node:assert/strict";
import type { Ref } from "../../../shared/actor/actor.ts";
import { System } from "../../../shared/actor/system.ts";
import { StoppableLoop } from "./stoppable_loop.ts";

interface Observed {
  readonly loop: StoppableLoop;
  readonly system: System;
  readonly root: Ref<string>;
  readonly seen: { readonly message: string; readonly attentiveMs: number }[];
  readonly log: string[];
}

function observed(work: (message: string, loop: StoppableLoop) => void = () => {}): Observed {
  const loop = new StoppableLoop();
  const log: string[] = [];
  const seen: Observed["seen"] = [];
  const system = new System(loop, "seed", { log: (_, __, text) => log.push(text) });
  const root = system.start<string>("root", (context) => {
    context.after(10_000, "timer");
    return {
      receive: (message) => {
        work(message, loop);
        seen.push({ message, attentiveMs: context.attentiveNow() });
      },
    };
  });
  return { loop, system, root, seen, log };
}

/** Until the next look at the clock, at most a second, a stall cannot be told from a quiet time. */
function assertStandsStill(attentiveMs: number | undefined, stalledAtMs: number): void {
  assert.ok(attentiveMs !== undefined && attentiveMs >= stalledAtMs && attentiveMs <= stalledAtMs + 1_000);
}

Deno.test("the attentive clock goes with the other one while the process runs", () => {
  const { loop, system, root, seen } = observed();
  loop.run(9_500);
  system.post(root, "message");
  loop.run(5_000);
  assert.deepEqual(seen, [{ message: "message", attentiveMs: 9_500 }, {
    message: "timer",
    attentiveMs: 10_000,
  }]);
});

Deno.test("after a stop of 40 s in which a timer was overdue, the timer sees the clock of before", () => {
  const { loop, seen, log } = observed();
  loop.run(5_400);
  loop.stall(40_000);
  loop.run(0);
  assert.equal(seen[0]?.message, "timer");
  assertStandsStill(seen[0]?.attentiveMs, 5_400);
  assert.deepEqual(log, ["was not running for 39400 ms"]);
});

Deno.test("after a stop of 40 s, a message from a socket that comes before any timer sees the clock of before", () => {
  const { loop, system, root, seen, log } = observed();
  loop.run(5_400);
  loop.stall(40_000);
  system.post(root, "message");
  loop.runCalls();
  assertStandsStill(seen[0]?.attentiveMs, 5_400);
  loop.run(0);
  assertStandsStill(seen[1]?.attentiveMs, 5_400);
  assert.equal(log.length, 1, "one stall is told of once");
});

Deno.test("a message whose handling blocks the process for 5 s moves the clock of those after it", () => {
  const { loop, system, root, seen } = observed((message, own) => message === "block" && own.stall(5_000));
  loop.run(1_500);
  system.post(root, "block");
  loop.runCalls();
  system.post(root, "next");
  loop.runCalls();
  assertStandsStill(seen[1]?.attentiveMs, 1_500);
});

Deno.test("lateness of less than 2 s counts as time, as does a long silence", () => {
  const { loop, system, root, seen, log } = observed();
  for (let round = 0; round < 3; round++) {
    loop.stall(2_900);
    loop.run(0);
  }
  loop.run(600_000);
  system.post(root, "message");
  loop.runCalls();
  assert.deepEqual(seen.at(-1), { message: "message", attentiveMs: 608_700 });
  assert.deepEqual(log, []);
});
