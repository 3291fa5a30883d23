/** Workers whose time is limited, or that leave when nothing is to do. */
import assert from "node:assert/strict";
import { assignOf, NOOP, Rig, STEERED } from "./rig.ts";

Deno.test("a worker says how long it will still be there, and leaves in time with exit code 0", () => {
  using rig = new Rig({ limit: { workUntilMs: 60_000, graceMs: 10_000 } });
  rig.connected();
  const told = rig.master.session.register().timeLeftMs ?? 0;
  assert(told > 59_900 && told <= 60_000, String(told));
  rig.master.session.say(assignOf(1), assignOf(2));
  rig.until(() => rig.logs.some((line) => line.includes("leaving: its time limit is near")));
  assert(Math.abs(rig.loop.now() - 50_000) < 10, String(rig.loop.now()));
  rig.evaluators.complete(1);
  rig.until(() => rig.exits.length === 1);
  assert(rig.loop.now() >= 60_000 && rig.loop.now() < 61_000, String(rig.loop.now()));
  assert.equal(rig.exits[0]?.code, 0);
  assert.deepEqual(rig.states(1), ["completed"]);
  assert.deepEqual(rig.states(2), ["returned"]);
});

Deno.test("a task that needs more time than is left is handed back", () => {
  using rig = new Rig({ limit: { workUntilMs: 60_000, graceMs: 0 } });
  rig.connected();
  rig.pass(30_000);
  rig.master.session.say(
    assignOf(1, { ...STEERED, minTimeMs: 31_000 }),
    assignOf(2, { ...STEERED, minTimeMs: 29_000 }),
  );
  rig.pass(5);
  assert.deepEqual(rig.result(1).end, { state: "returned" });
  assert.equal(rig.evaluators.work(2).slot, 0);
});

Deno.test("a limit that is shorter than the grace period gives what is left", () => {
  using rig = new Rig({ limit: { workUntilMs: 1_000, graceMs: 30_000 } });
  rig.until(() => rig.exits.length === 1, 5_000);
  assert.equal(rig.exits[0]?.code, 0);
});

Deno.test("a worker leaves with exit code 0 when nothing was to do for long", () => {
  using rig = new Rig({ idleTimeoutMs: 60_000 });
  rig.connected();
  rig.master.session.say(assignOf(1));
  rig.pass(300_000);
  assert.equal(rig.exits.length, 0, "it runs something");
  rig.evaluators.complete(1);
  const fromMs = rig.loop.now();
  rig.until(() => rig.exits.length === 1, 120_000);
  const idleMs = rig.loop.now() - fromMs;
  assert(idleMs >= 60_000 && idleMs <= 67_000, String(idleMs));
  assert.equal(rig.exits[0]?.code, 0);
  assert(rig.logs.some((line) => line.includes("leaving: nothing was to do for 1m")), rig.logs.join("\n"));
});

Deno.test("empty tasks, which never show as running, are something to do", () => {
  using rig = new Rig({ idleTimeoutMs: 60_000 });
  rig.connected();
  for (let number = 1; number <= 10; number++) {
    rig.master.session.say(assignOf(number, NOOP));
    rig.pass(30_000);
  }
  assert.equal(rig.exits.length, 0);
});

Deno.test("time without a master is not idle", () => {
  using rig = new Rig({ idleTimeoutMs: 60_000 });
  rig.connected();
  rig.master.manners.accepts = false;
  rig.master.session.close(1006, "");
  rig.pass(600_000);
  assert.equal(rig.exits.length, 0);
  rig.master.manners.accepts = true;
  rig.until(() => rig.master.sessions.length === 2);
  rig.pass(50_000);
  assert.equal(rig.exits.length, 0, "the count begins anew");
  rig.until(() => rig.exits.length === 1, 30_000);
});
