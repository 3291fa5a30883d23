import assert from "node:assert/strict";
import { ACKNOWLEDGE_WAIT_MS, JOURNAL_FROM_MS } from "../../../worker/outbox.ts";
import { ATTEMPT_REPORTS_KEPT_MAX } from "../../../worker/outbox_reports.ts";
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
  assert.deepEqual([...rig.journal.results.values()].map(({ result }) => result.task), [leaseOf(2).task]);
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

/** The numbers of the reports that the newest session heard. */
function numbers(rig: Rig): readonly number[] {
  return rig.master.session.heard.flatMap((each) => each.type === "report" ? [each.number] : []);
}

/** Lets the evaluator of task 1 report steps. */
function reportSteps(rig: Rig, from: number, to: number): void {
  const { events } = rig.evaluators.work(1);
  for (let step = from; step <= to; step++) events({ type: "report", step, metrics: { loss: step } });
}

function taken(rig: Rig, reports: number, again: number | null = null): void {
  rig.master.session.say({ type: "taken", ...leaseOf(1), reports, again, commit: 7 });
  rig.pass(5);
}

/** A worker with task 1, which nothing is taken from by itself. */
function reportingRig(journal = new FakeJournal()): Rig {
  const rig = silentRig(journal);
  rig.master.session.say(assignOf(1));
  return rig.pass(5);
}

Deno.test("reports are sent again at each reattachment, before results, until they are taken", () => {
  using rig = reportingRig();
  reportSteps(rig, 1, 3);
  rig.pass(5);
  assert.deepEqual(numbers(rig), [1, 2, 3]);
  taken(rig, 2);
  rig.evaluators.complete(1);
  rig.pass(5).reattach();
  const said = rig.master.session.heard.map((each) => each.type === "report" ? each.number : each.type);
  assert.deepEqual(said, ["register", 3, "result"]);
  taken(rig, 3);
  rig.reattach();
  assert.deepEqual(numbers(rig), []);
});

Deno.test("reports that the master could not take in are said once more, and the result after them", () => {
  using rig = reportingRig();
  reportSteps(rig, 1, 4);
  rig.evaluators.complete(1);
  rig.pass(5);
  rig.master.session.heard.length = 0;
  taken(rig, 2, 3);
  const said = rig.master.session.heard.map((each) => each.type === "report" ? each.number : each.type);
  assert.deepEqual(said, [3, 4, "result"]);
});

Deno.test("a master without room asks for all that was not taken", () => {
  using rig = reportingRig();
  reportSteps(rig, 1, 3);
  rig.pass(5);
  taken(rig, 1);
  rig.master.session.heard.length = 0;
  taken(rig, 0, 0);
  assert.deepEqual(numbers(rig), [2, 3]);
});

Deno.test("of an attempt whose taken reports were lost nothing more is reported, and its result comes", () => {
  using rig = reportingRig();
  reportSteps(rig, 1, 3);
  rig.pass(5);
  taken(rig, 2);
  rig.master.session.heard.length = 0;
  taken(rig, 1, 2);
  reportSteps(rig, 4, 5);
  rig.evaluators.complete(1);
  rig.pass(5);
  assert.deepEqual(rig.master.session.heard.map((each) => each.type), ["result"]);
});

Deno.test("what was taken tells of its commit, which is presented at the next registration", () => {
  using rig = reportingRig();
  reportSteps(rig, 1, 1);
  taken(rig, 1);
  rig.reattach();
  assert.equal(rig.master.session.register().seen?.commit, 7);
});

Deno.test("numbers follow one another over breaks, and a sent report keeps its number", () => {
  using rig = reportingRig();
  reportSteps(rig, 1, 2);
  rig.pass(5);
  rig.master.manners.accepts = false;
  rig.master.session.close(1006, "");
  rig.pass(5);
  reportSteps(rig, 3, 5);
  rig.master.manners.accepts = true;
  rig.until(() => rig.master.sessions.length === 2).pass(10);
  const said = rig.master.session.heard.flatMap((each) =>
    each.type === "report" ? [[each.number, each.step]] : []
  );
  assert.deepEqual(said, [[1, 1], [2, 2], [3, 3], [4, 4], [5, 5]]);
});

Deno.test("reports that nobody takes are thinned out: the newest stays, numbers have no gap", () => {
  using rig = reportingRig();
  rig.master.manners.accepts = false;
  rig.master.session.close(1006, "");
  rig.pass(5);
  reportSteps(rig, 1, ATTEMPT_REPORTS_KEPT_MAX + 500);
  rig.pass(50);
  rig.master.manners.accepts = true;
  rig.until(() => rig.master.sessions.length === 2).pass(50);
  assert.deepEqual(numbers(rig), Array.from({ length: ATTEMPT_REPORTS_KEPT_MAX }, (_, index) => index + 1));
  const steps = rig.master.session.heard.flatMap((each) => each.type === "report" ? [each.step] : []);
  assert.equal(steps.at(-1), ATTEMPT_REPORTS_KEPT_MAX + 500);
  assert.equal(rig.logs.filter((line) => line.includes("left out")).length, 1, "it is said once");
});

Deno.test("a connected worker has a bounded number of reports under way; the newest follows when some are taken", () => {
  using rig = reportingRig();
  reportSteps(rig, 1, ATTEMPT_REPORTS_KEPT_MAX + 500);
  rig.pass(50);
  assert.equal(numbers(rig).length, ATTEMPT_REPORTS_KEPT_MAX);
  taken(rig, 10);
  assert.equal(numbers(rig).at(-1), ATTEMPT_REPORTS_KEPT_MAX + 1);
  const last = rig.master.session.heard.at(-1);
  assert.equal(last?.type === "report" && last.step, ATTEMPT_REPORTS_KEPT_MAX + 500);
});

Deno.test("what was measured last goes out before the result, however much is under way", () => {
  const last = ATTEMPT_REPORTS_KEPT_MAX + 500;
  const end = (rig: Rig) =>
    rig.master.session.heard.slice(-2).map((each) => each.type === "report" ? each.step : each.type);
  {
    using rig = reportingRig();
    reportSteps(rig, 1, last);
    rig.evaluators.complete(1);
    rig.pass(5);
    assert.deepEqual(end(rig), [last, "result"]);
    taken(rig, 0, 0);
    assert.deepEqual(end(rig), [last, "result"], "said again, too");
  }
  using rig = reportingRig();
  reportSteps(rig, 1, last - 1);
  rig.pass(5);
  rig.master.manners.accepts = false;
  rig.master.session.close(1006, "");
  rig.pass(5);
  reportSteps(rig, last, last);
  rig.evaluators.complete(1);
  rig.pass(5);
  rig.master.manners.accepts = true;
  rig.until(() => rig.master.sessions.length === 2).pass(50);
  assert.deepEqual(end(rig), [last, "result"]);
});

/** What an executor says of a checkpoint that is kept at the master. */
function saved(step: number) {
  return { type: "report", step, metrics: {}, checkpoint: { sha256: "a".repeat(64), bytes: 5 } } as const;
}

Deno.test("a checkpoint is never left out, nor the measurement before it, however many reports nobody takes", () => {
  using rig = reportingRig();
  rig.master.manners.accepts = false;
  rig.master.session.close(1006, "");
  rig.pass(5);
  const { events } = rig.evaluators.work(1);
  reportSteps(rig, 1, ATTEMPT_REPORTS_KEPT_MAX + 500);
  events(saved(ATTEMPT_REPORTS_KEPT_MAX + 500));
  reportSteps(rig, ATTEMPT_REPORTS_KEPT_MAX + 501, ATTEMPT_REPORTS_KEPT_MAX + 600);
  rig.evaluators.complete(1);
  rig.pass(50);
  rig.master.manners.accepts = true;
  rig.until(() => rig.master.sessions.length === 2).pass(50);
  const said = rig.master.session.heard.flatMap((each) =>
    each.type === "report" ? [`${each.step}${each.checkpoint === undefined ? "" : " saved"}`] : []
  );
  const last = ATTEMPT_REPORTS_KEPT_MAX + 500;
  assert.deepEqual(said.slice(-3), [`${last}`, `${last} saved`, `${last + 100}`]);
  assert.deepEqual(numbers(rig), Array.from({ length: said.length }, (_, index) => index + 1));
});

Deno.test("a worker that comes back says how far its attempts came: what they saved, or go on from", () => {
  using rig = reportingRig();
  const restore = { epoch: leaseOf(2).epoch, attempt: 7, step: 40, sha256: "b".repeat(64), bytes: 5 };
  rig.master.session.say({ ...assignOf(2), restore }, assignOf(3));
  rig.pass(5);
  const { events } = rig.evaluators.work(1);
  events(saved(12));
  events(saved(9));
  rig.pass(5).reattach();
  const steps = rig.master.session.register().leases.map(({ task, checkpoint }) => [task, checkpoint]);
  assert.deepEqual(steps, [[leaseOf(1).task, 12], [leaseOf(2).task, 40], [leaseOf(3).task, undefined]]);
});

Deno.test("the journal keeps what a result's attempt saved, for the process after a crash", () => {
  const journal = new FakeJournal();
  {
    using rig = reportingRig(journal);
    const { events } = rig.evaluators.work(1);
    reportSteps(rig, 1, 1);
    events(saved(1));
    rig.pass(2_000);
    rig.evaluators.complete(1);
    rig.pass(5);
  }
  using rig = silentRig(journal);
  const said = rig.master.session.heard.flatMap((each) =>
    each.type === "report" ? [each.checkpoint?.bytes ?? each.step] : []
  );
  assert.deepEqual(said, [1, 5]);
});

Deno.test("a result in the journal has the reports with it that were not taken", () => {
  const journal = new FakeJournal();
  {
    using rig = reportingRig(journal);
    reportSteps(rig, 1, 3);
    rig.pass(5);
    taken(rig, 1);
    rig.pass(2_000);
    rig.evaluators.complete(1);
    rig.pass(5);
  }
  using rig = silentRig(journal);
  const said = rig.master.session.heard.map((each) => each.type === "report" ? each.number : each.type);
  assert.deepEqual(said, ["register", 2, 3, "result"]);
});

Deno.test("with its acknowledgement the reports of an attempt are forgotten", () => {
  using rig = reportingRig();
  reportSteps(rig, 1, 3);
  rig.evaluators.complete(1);
  rig.pass(5);
  rig.master.acknowledge(rig.master.session, rig.result(1), "superseded");
  rig.pass(5).reattach();
  assert.deepEqual(numbers(rig), []);
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
