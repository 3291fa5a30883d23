import assert from "node:assert/strict";
import { ACKNOWLEDGE_WAIT_MS, JOURNAL_FROM_MS, REPORTS_KEPT_MAX } from "../../../worker/outbox.ts";
import { SEND_BUFFER_MAX } from "../../../worker/link_session.ts";
import { assignOf, FakeJournal, leaseOf, NOOP, Rig } from "./rig.ts";

/** A worker whose master acknowledges nothing by itself. */
function silentRig(journal = new FakeJournal()): Rig {
  const rig = new Rig({ journal, prepare: (master) => master.manners.acknowledges = false });
  return rig.connected();
}

Deno.test("a result is sent again at each reattachment until it is acknowledged", () => {
  using rig = silentRig();
  rig.master.session.say(assignOf(1), assignOf(2));
  rig.pass(5);
  rig.evaluators.complete(1, 0.9);
  rig.pass(5);
  for (let round = 0; round < 3; round++) {
    rig.reattach();
    assert.deepEqual(
      rig.master.session.register().leases.map(({ task, state }) => [task, state]),
      [[leaseOf(2).task, "running"], [leaseOf(1).task, "finished"]],
    );
    assert.deepEqual(rig.result(1).end, { state: "completed", metrics: { score: 0.9 } });
    assert.equal(rig.master.session.frames, 1, "it comes with the registration");
  }
  rig.master.acknowledge(rig.master.session, rig.result(1));
  rig.pass(5).reattach();
  assert.deepEqual(rig.master.session.register().leases.map((lease) => lease.state), ["running"]);
  assert.deepEqual(rig.master.session.results(), []);
});

Deno.test("a result that comes while nobody is connected waits for the next session", () => {
  using rig = silentRig();
  rig.master.session.say(assignOf(1));
  rig.pass(5);
  rig.master.manners.accepts = false;
  rig.master.session.close(1006, "");
  rig.pass(5_000);
  rig.evaluators.complete(1);
  rig.pass(5_000);
  rig.master.manners.accepts = true;
  rig.until(() => rig.master.sessions.length === 2).pass(5);
  assert.equal(rig.result(1).end.state, "completed");
});

Deno.test("a result that has been superseded is forgotten", () => {
  using rig = silentRig();
  rig.master.session.say(assignOf(1, NOOP));
  rig.pass(5);
  rig.master.acknowledge(rig.master.session, rig.result(1), "superseded");
  rig.pass(5).reattach();
  assert.deepEqual(rig.master.session.register().leases, []);
  assert.deepEqual(rig.setAside, []);
});

Deno.test("a result that the store does not know is set aside and told", () => {
  using rig = silentRig();
  rig.master.session.say(assignOf(1, NOOP));
  rig.pass(5);
  rig.master.acknowledge(rig.master.session, rig.result(1), "unknown");
  rig.pass(5).reattach();
  assert.deepEqual(rig.master.session.register().leases, []);
  assert.deepEqual(rig.setAside.map((result) => result.task), [leaseOf(1).task]);
  assert(rig.logs.some((line) => line.includes("set aside")));
});

Deno.test("what nobody measured is not set aside", () => {
  using rig = silentRig();
  rig.master.session.say(assignOf(1), assignOf(2), assignOf(3));
  rig.pass(5);
  rig.master.session.say({ type: "recall", ...leaseOf(3) });
  rig.pass(5);
  rig.master.acknowledge(rig.master.session, rig.result(3), "unknown");
  rig.pass(5);
  assert.deepEqual(rig.setAside, []);
});

Deno.test("results of long attempts stand in the journal until they are acknowledged", () => {
  using rig = silentRig();
  rig.master.session.say(assignOf(1), assignOf(2));
  rig.pass(10);
  rig.evaluators.complete(1);
  rig.pass(JOURNAL_FROM_MS);
  rig.evaluators.complete(2);
  rig.pass(5);
  assert.deepEqual([...rig.journal.results.values()].map((result) => result.task), [leaseOf(2).task]);
  rig.master.acknowledge(rig.master.session, rig.result(2));
  rig.pass(5);
  assert.equal(rig.journal.results.size, 0);
});

Deno.test("a new process brings along the results of the one before", () => {
  const journal = new FakeJournal();
  {
    using rig = silentRig(journal);
    rig.master.session.say(assignOf(1));
    rig.pass(2_000);
    rig.evaluators.complete(1, 0.7);
    rig.pass(5);
  }
  using rig = silentRig(journal);
  assert.deepEqual(rig.master.session.register().leases.map((lease) => lease.state), ["finished"]);
  assert.deepEqual(rig.result(1).end, { state: "completed", metrics: { score: 0.7 } });
  rig.master.session.say(assignOf(1));
  rig.pass(5);
  assert.deepEqual(rig.evaluators.started, [], "it is not run again");
  rig.master.acknowledge(rig.master.session, rig.result(1));
  rig.pass(5);
  assert.equal(journal.results.size, 0);
});

Deno.test("reports go out with the turn and before the result", () => {
  using rig = silentRig();
  rig.master.session.say(assignOf(1));
  rig.pass(5);
  const { events } = rig.evaluators.work(1);
  for (let step = 1; step <= 3; step++) events({ type: "report", step, metrics: { loss: 1 / step } });
  rig.evaluators.complete(1);
  rig.pass(5);
  const said = rig.master.session.heard.slice(1).map((each) =>
    each.type === "report" ? each.step : each.type
  );
  assert.deepEqual(said, [1, 2, 3, "result"]);
  assert.equal(rig.master.session.frames, 2);
});

Deno.test("reports that the master may not have read are sent again", () => {
  using rig = silentRig();
  rig.master.session.say(assignOf(1));
  rig.pass(5);
  const { events } = rig.evaluators.work(1);
  events({ type: "report", step: 1, metrics: { loss: 1 } });
  rig.pass(15_000);
  events({ type: "report", step: 2, metrics: { loss: 1 } });
  rig.pass(5).reattach();
  const steps = rig.master.session.heard.map((each) => each.type === "report" ? each.step : 0);
  assert.deepEqual(steps, [0, 2], "the first was before an echoed heartbeat");
});

Deno.test("reports that nobody reads are bounded", () => {
  using rig = silentRig();
  rig.master.session.say(assignOf(1));
  rig.pass(5);
  rig.master.manners.accepts = false;
  rig.master.session.close(1006, "");
  rig.pass(5);
  const { events } = rig.evaluators.work(1);
  for (let step = 1; step <= REPORTS_KEPT_MAX + 500; step++) {
    events({ type: "report", step, metrics: { loss: 1 } });
  }
  rig.pass(50);
  rig.master.manners.accepts = true;
  rig.until(() => rig.master.sessions.length === 2).pass(50);
  const reports = rig.master.session.heard.filter((each) => each.type === "report");
  assert(reports.length <= REPORTS_KEPT_MAX);
  assert.equal(reports.at(-1)?.step, REPORTS_KEPT_MAX + 500, "the newest are kept");
});

Deno.test("a master that does not read gets results and no reports", () => {
  using rig = silentRig();
  rig.master.session.say(assignOf(1));
  rig.pass(5);
  rig.master.session.bufferedBytes = SEND_BUFFER_MAX + 1;
  rig.evaluators.work(1).events({ type: "report", step: 1, metrics: { loss: 1 } });
  rig.evaluators.complete(1);
  rig.pass(5);
  assert.deepEqual(rig.master.session.heard.map((each) => each.type), ["register", "result"]);
});

Deno.test("a leaving worker waits for its acknowledgements, but not for ever", () => {
  using rig = silentRig();
  rig.master.session.say(assignOf(1, NOOP));
  rig.pass(5);
  rig.stop(1_000);
  rig.pass(ACKNOWLEDGE_WAIT_MS - 10);
  assert.equal(rig.exits.length, 0);
  rig.pass(20);
  assert.equal(rig.exits[0]?.code, 0);
  assert.match(rig.exits[0]?.message ?? "", /1 results could not be handed over/);
});

Deno.test("a worker that is told to leave while it has no master leaves", () => {
  using rig = new Rig({ prepare: (master) => master.manners.accepts = false });
  rig.pass(3_000);
  rig.stop(10_000);
  rig.pass(5);
  assert.deepEqual(rig.exits.map((exit) => exit.code), [0]);
});
