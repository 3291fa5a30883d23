import assert from "node:assert/strict";
import { type ClientRole, mayAct, roleFor } from "../../../master/gateway/roles.ts";
import { groupId } from "../../../shared/model/ids.ts";
import { EVERY_COMMAND, rig } from "./commands_rig.ts";
import { EPOCH, GROUP } from "./rig.ts";

Deno.test("every command gets exactly one reply, which carries the epoch and a commit number", () => {
  for (const body of Object.values(EVERY_COMMAND)) {
    const it = rig();
    const id = it.command(body);
    assert.equal(it.replies().length, 1, body.kind);
    const reply = it.replies()[0];
    assert.ok(reply?.ok, `${body.kind}: ${JSON.stringify(reply)}`);
    assert.equal(reply.id, id);
    assert.equal(reply.epoch, EPOCH);
    assert.ok(reply.commit >= 4);
    it.world.end();
  }
});

Deno.test("what a role may not do is answered with the role that may, and has no effect", () => {
  for (const body of Object.values(EVERY_COMMAND)) {
    for (const role of ["view", "submit", "admin"] as const) {
      if (mayAct(role, roleFor(body.kind))) continue;
      const it = rig();
      const told = [it.cluster, it.registrar, it.store].map(({ messages }) => messages.length);
      it.command(body, role);
      const reply = it.replies()[0];
      assert.ok(reply !== undefined && !reply.ok);
      assert.equal(reply.error.code, "forbidden");
      assert.match(reply.error.advice, new RegExp(`role ${roleFor(body.kind)}`));
      assert.deepEqual([it.cluster, it.registrar, it.store].map(({ messages }) => messages.length), told);
      assert.deepEqual(it.stops, []);
      it.world.end();
    }
  }
});

Deno.test("a viewer may ask, a submitter may also steer, an admin may all", () => {
  const allowed = (role: ClientRole) =>
    Object.values(EVERY_COMMAND).map(({ kind }) => kind).filter((kind) => mayAct(role, roleFor(kind)));
  const queries = ["experiments", "experiment", "trials", "counts", "curve", "files", "workers", "explain"];
  const steering = ["submit", "run", "cancel", "pause", "resume"];
  assert.deepEqual(new Set(allowed("view")), new Set(queries));
  assert.deepEqual(new Set(allowed("submit")), new Set([...queries, ...steering]));
  assert.equal(allowed("admin").length, Object.keys(EVERY_COMMAND).length);
});

Deno.test("cancelling a whole experiment is its registrar's, cancelling one trial the cluster's", () => {
  const whole = rig();
  whole.command({ kind: "cancel", group: GROUP, number: null });
  assert.deepEqual(whole.registrar.messages.map((message) => message.type), ["cancel_experiment"]);
  assert.equal(whole.cluster.messages.length, 0);
  whole.world.end();
  const one = rig();
  one.command({ kind: "cancel", group: GROUP, number: 2 });
  assert.equal(one.registrar.messages.length, 0);
  assert.deepEqual(one.cluster.messages.map((message) => message.type), ["cancel"]);
  one.world.end();
});

Deno.test("cancelling a group of plain tasks goes on to the cluster, and is answered once", () => {
  const it = rig({ isExperiment: false });
  it.command({ kind: "cancel", group: GROUP, number: null });
  assert.deepEqual(it.cluster.messages.map((message) => message.type), ["cancel"]);
  assert.equal(it.replies().length, 1);
  assert.ok(it.replies()[0]?.ok);
  it.world.end();
});

Deno.test("an experiment or group that nobody knows is a mistake with advice", () => {
  for (
    const body of [
      EVERY_COMMAND.experiment,
      EVERY_COMMAND.trials,
      EVERY_COMMAND.counts,
      EVERY_COMMAND.curve,
      EVERY_COMMAND.files,
    ]
  ) {
    const it = rig({ isKnown: false });
    it.command(body);
    const reply = it.replies()[0];
    assert.ok(reply !== undefined && !reply.ok);
    assert.match(reply.error.code, /^unknown_(experiment|group|task)$/);
    assert.notEqual(reply.error.advice, "");
    it.world.end();
  }
});

Deno.test("a store that cannot answer is told with when to try again", () => {
  const it = rig({ storeFails: true });
  it.command(EVERY_COMMAND.counts);
  const reply = it.replies()[0];
  assert.ok(reply !== undefined && !reply.ok);
  assert.match(reply.error.message, /disk is full/);
  assert.equal(reply.error.retryAfterMs, 1_000);
  it.world.end();
});

Deno.test("a backup that cannot be made is told in the store's own words", () => {
  const it = rig({ storeFails: true });
  it.command(EVERY_COMMAND.backup);
  const reply = it.replies()[0];
  assert.ok(reply !== undefined && !reply.ok);
  assert.equal(reply.error.code, "backup_failed");
  assert.match(reply.error.message, /^the disk is full/);
  assert.equal(reply.error.retryAfterMs, null);
  it.world.end();
});

Deno.test("stopping the master is answered before it stops", () => {
  const it = rig();
  it.command({ kind: "stop", target: "master", graceMs: 250 });
  assert.deepEqual(it.stops, [250]);
  assert.ok(it.replies()[0]?.ok);
  assert.equal(it.cluster.messages.length, 0);
  it.world.end();
});

Deno.test("too many commands at once are answered with when to try again, and the rest goes on", () => {
  const it = rig({ isSilent: true });
  for (let index = 0; index < 5; index++) it.command({ kind: "workers" });
  assert.equal(it.cluster.messages.length, 3);
  const codes = it.replies().map((reply) => reply.ok ? "ok" : reply.error.code);
  assert.deepEqual(codes, ["busy", "busy"]);
  const first = it.cluster.messages[0];
  assert.ok(first?.type === "list_workers");
  const reply = { ok: true, value: [], commit: 9 } as const;
  it.world.post(first.from, { type: "command_answered", token: first.token, reply });
  it.world.post(first.from, { type: "command_answered", token: first.token, reply });
  it.world.settle();
  assert.equal(it.replies().length, 3, "an answer that comes twice is told once");
  it.command({ kind: "workers" });
  assert.equal(it.cluster.messages.length, 4);
  it.world.end();
});

Deno.test("the feed learns of a commit before the client that is told of it", () => {
  const it = rig({ commit: 77 });
  it.command({ kind: "workers" });
  assert.deepEqual(it.feed.messages.at(-1), { type: "told", commit: 77 });
  assert.equal(it.replies()[0]?.commit, 77);
  it.world.end();
});

Deno.test("a spec that nests without end is refused and reaches no one", () => {
  let spec: unknown = {};
  for (let depth = 0; depth < 100_000; depth++) spec = [spec];
  const it = rig();
  it.command({ kind: "run", spec });
  const reply = it.replies()[0];
  assert.ok(reply !== undefined && !reply.ok);
  assert.equal(reply.error.code, "bad_spec");
  assert.equal(it.registrar.messages.length, 0);
  it.world.end();
});

Deno.test("group ids are those of the client", () => {
  const it = rig();
  it.command({ kind: "pause", group: groupId("other-2") });
  const message = it.registrar.messages[0];
  assert.ok(message?.type === "pause");
  assert.equal(message.group, "other-2");
  it.world.end();
});
