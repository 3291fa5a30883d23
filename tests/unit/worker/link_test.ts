import assert from "node:assert/strict";
import type { Seen } from "../../../shared/protocol/highest_seen.ts";
import { EPOCH } from "./fake_master.ts";
import { assignOf, leaseOf, NOOP, Rig } from "./rig.ts";

Deno.test("a worker registers with what it is and what it has", () => {
  using rig = new Rig({ slots: 3 });
  rig.connected();
  const register = rig.master.session.register();
  assert.equal(register.slots, 3);
  assert.deepEqual(register.executors, ["module", "builtin"]);
  assert.deepEqual(register.leases, []);
  assert.equal(register.seen, null);
  assert.deepEqual(rig.master.dials, [{ url: "ws://one/socket", token: "secret", atMs: 0 }]);
});

Deno.test("several masters are tried in turn, and the one that was found is tried first again", () => {
  using rig = new Rig({
    masters: ["ws://one/socket", "ws://two/socket", "ws://three/socket"],
    prepare: (master) => master.manners.accepts = false,
  });
  rig.until(() => rig.master.dials.length === 4);
  assert.deepEqual(rig.master.dials.map((dial) => dial.url), [
    "ws://one/socket",
    "ws://two/socket",
    "ws://three/socket",
    "ws://one/socket",
  ]);
  rig.master.manners.accepts = true;
  rig.until(() => rig.master.sessions.length === 1).pass(10);
  const found = rig.master.dials.at(-1)?.url;
  rig.reattach();
  assert.equal(rig.master.dials.at(-1)?.url, found);
});

Deno.test("a worker never gives up, and comes at least every ten seconds", () => {
  using rig = new Rig({ prepare: (master) => master.manners.accepts = false });
  rig.pass(600_000);
  const waits = rig.master.dials.slice(1).map((dial, index) =>
    dial.atMs - (rig.master.dials[index]?.atMs ?? 0)
  );
  assert(rig.master.dials.length > 60, `${rig.master.dials.length} tries`);
  assert(Math.max(...waits) <= 10_002, `waited ${Math.max(...waits)} ms`);
  assert(Math.max(...waits) > 5_000, "the waits grow");
  assert(waits.slice(0, 3).every((wait) => wait < 1_000), "the first tries come soon");
});

Deno.test("a connection that never opens is given up and, opened late, closed", () => {
  using rig = new Rig({ prepare: (master) => master.manners.isGone = true });
  rig.until(() => rig.master.dials.length === 2);
  assert(rig.loop.now() >= 10_000);
  rig.master.openLate();
  rig.pass(10);
  assert.equal(rig.master.sessions[0]?.closedBy, 1000, "the first was given up");
  assert.deepEqual(rig.master.sessions[1]?.heard.map((envelope) => envelope.type), ["register"]);
});

Deno.test("a master that does not welcome within five seconds is left", () => {
  using rig = new Rig({ prepare: (master) => master.manners.welcomes = false });
  rig.pass(4_900);
  assert.equal(rig.master.session.closedBy, undefined);
  rig.pass(200);
  assert.equal(rig.master.sessions[0]?.closedBy, 4000);
});

Deno.test("heartbeats carry load, vitals and the round trip of the last echo", () => {
  using rig = new Rig({ slots: 1 });
  rig.connected();
  rig.master.session.say(assignOf(1), assignOf(2), assignOf(3));
  rig.pass(10);
  rig.sample({ cpuPercent: 42, memoryUsedBytes: 1, rssBytes: 2, gpus: [] });
  rig.pass(25_000);
  const beats = rig.master.session.heard.filter((envelope) => envelope.type === "heartbeat");
  assert.equal(beats.length, 2);
  assert.deepEqual(beats.map((beat) => [beat.sequence, beat.roundTripMs]), [[1, null], [2, 2]]);
  assert.deepEqual([beats[0]?.running, beats[0]?.queued], [1, 2]);
  assert.equal(beats[0]?.vitals.cpuPercent, 42);
});

Deno.test("a master that asks whether the worker is there is answered at once", () => {
  using rig = new Rig();
  rig.connected();
  rig.master.session.say({ type: "heartbeat", sequence: 0, commit: 0 });
  rig.pass(3);
  assert.deepEqual(rig.master.session.heard.map((envelope) => envelope.type), ["register", "heartbeat"]);
});

Deno.test("silence of the master ends the session", () => {
  using rig = new Rig({ prepare: (master) => master.manners.echoes = false });
  rig.connected().pass(24_900);
  assert.equal(rig.master.session.closedBy, undefined);
  rig.pass(200);
  assert.equal(rig.master.sessions[0]?.closedBy, 4000);
  rig.until(() => rig.master.sessions.length === 2);
});

Deno.test("a master that speaks is never called silent", () => {
  using rig = new Rig();
  rig.connected().pass(600_000);
  assert.equal(rig.master.sessions.length, 1);
  assert.equal(rig.master.session.closedBy, undefined);
});

Deno.test("a frozen process does not call the master silent", () => {
  using rig = new Rig();
  rig.connected().pass(12_345);
  rig.process.frozenUntilMs = rig.loop.now() + 90_000;
  rig.pass(95_000);
  assert.equal(rig.master.sessions.length, 1);
  assert.equal(rig.master.session.closedBy, undefined);
  rig.master.manners.echoes = false;
  rig.pass(40_000);
  assert.equal(rig.master.sessions[0]?.closedBy, 4000, "afterwards silence counts again");
});

Deno.test("a process that was frozen before its welcome reads what came before it leaves", () => {
  for (let seed = 0; seed < 20; seed++) {
    using rig = new Rig({ seed: `frozen ${seed}` });
    rig.until(() => rig.master.sessions[0]?.heard.length === 1);
    rig.process.frozenUntilMs = rig.loop.now() + 20_000;
    rig.pass(21_000);
    assert.equal(rig.master.sessions.length, 1, `seed ${seed}`);
    assert.equal(rig.master.session.closedBy, undefined, `seed ${seed}`);
  }
});

Deno.test("the second session's events count, the first one's are dropped", () => {
  using rig = new Rig();
  rig.connected();
  const [first] = rig.master.sessions;
  rig.reattach();
  first?.say(assignOf(1));
  first?.close(4104, "rival");
  rig.master.session.say(assignOf(2));
  rig.pass(10);
  assert.deepEqual(rig.evaluators.started, [leaseOf(2).task]);
  assert.deepEqual(rig.exits, []);
});

Deno.test("a close with code 4104 ends the worker with the master's message", () => {
  using rig = new Rig();
  rig.connected();
  const { session } = rig.master;
  const message = "another process runs as w1 on host-b";
  session.say({ type: "refused", code: "rival", message, path: "", advice: "stop one of them" });
  session.close(4104, "rival");
  rig.pass(10);
  assert.equal(rig.exits.length, 1);
  assert.equal(rig.exits[0]?.code, 84);
  assert.match(rig.exits[0]?.message ?? "", /another process runs as w1 on host-b; stop one of them/);
  assert.equal(rig.rootExit, "normal");
  rig.pass(60_000);
  assert.equal(rig.master.dials.length, 1);
});

Deno.test("a close with a code below 4100 brings the worker back", () => {
  for (const code of [1000, 1006, 4001, 4002, 4003, 4004]) {
    using rig = new Rig();
    rig.connected();
    rig.master.session.close(code, "");
    rig.until(() => rig.master.sessions.length === 2);
    assert.deepEqual(rig.exits, []);
  }
});

Deno.test("what does not fit the protocol is refused, and the worker comes again", () => {
  using rig = new Rig();
  rig.connected();
  rig.master.session.sayBytes(new Uint8Array([1, 2, 3]));
  rig.pass(5);
  const [first] = rig.master.sessions;
  assert.equal(first?.heard.at(-1)?.type, "refused");
  assert.equal(first?.closedBy, 4100);
  rig.until(() => rig.master.sessions.length === 2);
});

Deno.test("a welcome for other leases than were listed is refused", () => {
  using rig = new Rig({ prepare: (master) => master.manners.welcomes = false });
  rig.connected();
  rig.master.session.say({
    type: "welcome",
    epoch: EPOCH,
    commit: 0,
    heartbeatMs: 10_000,
    keep: [true],
  });
  rig.pass(5);
  assert.equal(rig.master.session.heard.at(-1)?.type, "refused");
  assert.equal(rig.master.session.closedBy, 4100);
});

Deno.test("the highest commit that was told is presented at the next registration", () => {
  using rig = new Rig();
  rig.master.commit = 7;
  rig.connected().reattach();
  assert.deepEqual(rig.master.session.register().seen, { epoch: EPOCH, commit: 7 });
  rig.master.session.say(assignOf(1, NOOP));
  rig.pass(10).reattach();
  assert.deepEqual(rig.master.session.register().seen, { epoch: EPOCH, commit: 8 });
  rig.master.commit = 5;
  rig.reattach().reattach();
  assert.deepEqual(rig.master.session.register().seen, { epoch: EPOCH, commit: 8 });
});

Deno.test("what an earlier process of the worker was told is presented too, and what is new is kept", () => {
  const before: Seen = { epoch: EPOCH, commit: 40 };
  const noted: Seen[] = [];
  const seen = { read: () => before, note: (each: Seen) => noted.push(each) };
  using rig = new Rig({ seen, prepare: (master) => master.commit = 41 }).connected();
  assert.deepEqual(rig.master.session.register().seen, before);
  assert.deepEqual(noted, [{ epoch: EPOCH, commit: 41 }]);
});

Deno.test("a lease the master does not keep is stopped", () => {
  using rig = new Rig({ slots: 1 });
  rig.connected();
  rig.master.session.say(assignOf(1), assignOf(2), assignOf(3));
  rig.pass(10);
  rig.master.manners.notKept.add(leaseOf(1).task).add(leaseOf(3).task);
  const { stops } = rig.evaluators.work(1);
  rig.reattach();
  assert.deepEqual(
    rig.master.session.register().leases.map(({ task, state }) => [task, state]),
    [[leaseOf(1).task, "running"], [leaseOf(2).task, "queued"], [leaseOf(3).task, "queued"]],
  );
  assert.deepEqual(stops[0], 500, "with the template's grace");
  assert.deepEqual(rig.states(1), ["cancelled"]);
  assert.deepEqual(rig.states(3), ["cancelled"]);
  assert.deepEqual(rig.evaluators.started, [leaseOf(1).task, leaseOf(2).task]);
});

Deno.test("all that is said in one turn leaves in one frame", () => {
  using rig = new Rig({ slots: 4 });
  rig.connected();
  const before = rig.master.session.frames;
  rig.master.session.say(...Array.from({ length: 1_000 }, (_, index) => assignOf(index + 1, NOOP)));
  rig.pass(5);
  assert.equal(rig.master.session.results().length, 1_000);
  assert.equal(rig.master.session.frames - before, 1);
});

Deno.test("a crash of the link costs a reattachment and no attempt", () => {
  using rig = new Rig({ slots: 1 });
  rig.connected();
  rig.master.session.say(assignOf(1), assignOf(2));
  rig.pass(10);
  rig.master.manners.dialThrows = true;
  rig.reattach();
  assert(rig.logs.includes("worker/link: crashed: a bug in the dialer"));
  assert.deepEqual(rig.master.session.register().leases.map((lease) => lease.state), ["running", "queued"]);
  assert.notEqual(rig.master.session.register().seen, null, "what it was told is not forgotten");
  rig.evaluators.complete(1);
  rig.pass(5);
  assert.deepEqual(rig.states(1), ["completed"]);
});

Deno.test("a link that crashes again and again ends the worker", () => {
  using rig = new Rig();
  rig.connected();
  while (rig.rootExit === undefined) {
    rig.master.manners.dialThrows = true;
    rig.master.session.close(1006, "");
    rig.pass(5_000);
  }
  assert.equal(rig.rootExit, "crashed");
});
