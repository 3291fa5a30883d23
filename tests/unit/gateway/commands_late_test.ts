/**
 * Commands whose answers are late: whoever asked is told so in time, and nothing grows behind a store that hangs.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ExperimentSummary } from "../../../shared/model/experiment.ts";
import { taskId } from "../../../shared/model/ids.ts";
import {
  CHANGE_DEADLINE_MS,
  LATE_MAX,
  QUESTION_DEADLINE_MS,
} from "../../../master/gateway/waiting_commands.ts";
import { EVERY_COMMAND, rig } from "./commands_rig.ts";
import { GROUP } from "./rig.ts";

Deno.test("a question that the store does not answer is answered within its deadline, with why", () => {
  for (const body of [EVERY_COMMAND.experiments, EVERY_COMMAND.experiment, EVERY_COMMAND.counts]) {
    const it = rig({ isStoreSilent: true });
    it.trouble("the disk is full");
    it.command(body);
    it.world.loop.runFor(QUESTION_DEADLINE_MS - 100);
    assert.equal(it.replies().length, 0);
    it.world.loop.runFor(700);
    const reply = it.replies()[0];
    assert.ok(reply !== undefined && !reply.ok);
    assert.equal(reply.error.code, "no_answer");
    assert.match(reply.error.message, /has not answered for 5 s: the disk is full/);
    assert.equal(reply.error.retryAfterMs, 1_000);
    it.world.loop.runFor(60_000);
    assert.equal(it.replies().length, 1);
    it.world.end();
  }
});

Deno.test("a change that is not durable in time is to be sent again, and an answer that comes late is told to nobody", () => {
  const it = rig({ isSilent: true });
  it.command(EVERY_COMMAND.submit);
  it.world.loop.runFor(CHANGE_DEADLINE_MS - 100);
  assert.equal(it.replies().length, 0);
  it.world.loop.runFor(700);
  const reply = it.replies()[0];
  assert.ok(reply !== undefined && !reply.ok);
  assert.equal(reply.error.code, "not_ready");
  assert.match(reply.error.message, /not durable after 20 s, and may still be: the store is slow/);
  const asked = it.cluster.messages[0];
  assert.ok(asked?.type === "submit");
  const late = { ok: true, value: {}, commit: 9 } as const;
  it.world.post(asked.from, { type: "command_answered", token: asked.token, reply: late });
  it.world.settle();
  assert.equal(it.replies().length, 1);
  it.world.end();
});

Deno.test("a backup has no deadline: it takes as long as it takes", () => {
  const it = rig({ isStoreSilent: true });
  it.command(EVERY_COMMAND.backup);
  it.world.loop.runFor(3_600_000);
  assert.equal(it.replies().length, 0);
  it.world.end();
});

Deno.test("a session may ask again once it was told that there is no answer, and all together only so often", () => {
  const it = rig({ isStoreSilent: true });
  let asked = 0;
  for (let codes: string[] = []; !codes.includes("busy"); asked += 3) {
    assert.ok(asked <= LATE_MAX + 3, "questions pile up without end");
    for (let i = 0; i < 3; i++) it.command(EVERY_COMMAND.counts);
    it.world.loop.runFor(QUESTION_DEADLINE_MS + 600);
    codes = it.replies().map((reply) => reply.ok ? "ok" : reply.error.code);
  }
  assert.ok(asked >= LATE_MAX);
  const questions = it.store.messages.length;
  it.command(EVERY_COMMAND.counts);
  assert.equal(it.store.messages.length, questions, "nothing more is asked");
  for (const message of it.store.messages) {
    if (message.type !== "query") continue;
    const value = { submitted: 1, completed: 0, failed: 0, cancelled: 0, pruned: 0 };
    const result = { ok: true, value } as const;
    it.world.post(message.from, { type: "answer", token: message.token, kind: "counts", result });
  }
  it.world.settle();
  it.command(EVERY_COMMAND.counts);
  assert.equal(it.store.messages.length, questions + 1, "it goes on as soon as the store answers");
  it.world.end();
});

Deno.test("a running experiment is shown with why nothing of it runs", () => {
  const reason = "needs 4 gpus; w1 has 0";
  const it = rig({ standing: { state: "running", reason } });
  it.command(EVERY_COMMAND.experiment);
  const reply = it.replies()[0];
  assert.ok(reply?.ok);
  const { summary } = reply.value as { summary: ExperimentSummary };
  assert.deepEqual([summary.state, summary.reason], ["running", reason]);
  it.world.end();
});

Deno.test("a trial that was never proposed is explained by how its experiment stands", () => {
  const error = { code: "unknown_task", message: "", path: "", advice: "", retryAfterMs: null };
  const cases = [
    ["broken", "the model has no answer", /has not proposed it and is broken: the model has no answer/],
    ["paused", "5 failures in a row: no data", /is paused: 5 failures in a row: no data/],
    ["completed", "", /and is completed$/],
  ] as const;
  for (const [state, reason, says] of cases) {
    const it = rig({ standing: { state, reason }, explained: { ok: false, error } });
    it.command({ kind: "explain", task: taskId(GROUP, 99) });
    const reply = it.replies()[0];
    assert.ok(reply?.ok);
    assert.match(String((reply.value as { explanation: string }).explanation), says);
    it.world.end();
  }
});
