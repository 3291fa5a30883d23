import assert from "node:assert/strict";
import { DIAL_WITHIN_MS, SILENT_AFTER_MS } from "../../../client/link.ts";
import { commandId } from "../../../shared/model/ids.ts";
import { CLOSE } from "../../../shared/protocol/limits.ts";
import { begun, changed, EPOCH, LinkStage, NEXT_EPOCH, no, OTHER_STORE, yes } from "./fake_master.ts";

const LOG = { type: "subscribe", id: "log", kind: "log", after: null } as const;

function command(id: string) {
  return { type: "command", id: commandId(id), body: { kind: "workers" } } as const;
}

function namesTold(stage: LinkStage): string[] {
  return stage.told.flatMap((each) =>
    each.type === "change"
      ? each.changes.map((change) => change.kind === "submitted" ? String(change.group) : "")
      : []
  );
}

Deno.test("commands given before there is a connection are sent when there is one, in one frame", () => {
  const stage = new LinkStage();
  stage.send(command("a"));
  stage.send(command("b"));
  stage.settle();
  const socket = stage.open();
  assert.deepEqual(socket.commands, ["a", "b"]);
  assert.deepEqual(socket.frames, [2]);
  stage.end();
});

Deno.test("what is said within one turn leaves in one frame", () => {
  const stage = new LinkStage();
  const socket = stage.open();
  for (const id of ["a", "b", "c"]) stage.send(command(id));
  stage.settle();
  assert.deepEqual(socket.frames, [3]);
  stage.end();
});

Deno.test("a command without a reply is sent again after a reconnection, with the same id and in the same order", () => {
  const stage = new LinkStage();
  for (const id of ["a", "b", "c"]) stage.send(command(id));
  stage.open().say(yes("b"));
  stage.settle();
  assert.deepEqual(stage.reconnect().commands, ["a", "c"]);
  assert.deepEqual(stage.replies, ["b"]);
  stage.end();
});

Deno.test("a second reply to one command is told to nobody", () => {
  const stage = new LinkStage();
  stage.send(command("a"));
  const socket = stage.open();
  socket.say(yes("a"), yes("a"));
  stage.settle();
  assert.deepEqual(stage.replies, ["a"]);
  stage.end();
});

Deno.test("a master whose queue is full is asked again after the time it names, with the same id", () => {
  const stage = new LinkStage();
  stage.send(command("a"));
  const socket = stage.open();
  socket.say(no("a", "queue_full", 400));
  stage.loop.runFor(390);
  assert.deepEqual(socket.commands, ["a"]);
  stage.loop.runFor(20);
  assert.deepEqual(socket.commands, ["a", "a"]);
  assert.deepEqual(stage.delayed, ["a"]);
  assert.deepEqual(stage.replies, []);
  socket.say(yes("a"));
  stage.settle();
  assert.deepEqual(stage.replies, ["a"]);
  stage.end();
});

Deno.test("a refusal that waiting does not mend is told at once", () => {
  const stage = new LinkStage();
  stage.send(command("a"));
  stage.open().say(no("a", "unknown_experiment", null));
  stage.settle();
  assert.deepEqual(stage.replies, ["a"]);
  stage.end();
});

Deno.test("a log begins again behind the highest commit that was told", () => {
  const stage = new LinkStage();
  stage.send(LOG);
  const socket = stage.open();
  socket.say(begun(4), changed(7, "x"));
  stage.settle();
  const [subscribe] = stage.reconnect().heard;
  assert.deepEqual(subscribe, {
    type: "subscribe",
    id: "log",
    kind: "log",
    after: 7,
    seen: { epoch: EPOCH, commit: 7 },
  });
  stage.end();
});

Deno.test("what an earlier connection still says is dropped", () => {
  const stage = new LinkStage();
  stage.send(LOG);
  const first = stage.open();
  first.say(begun(4));
  stage.settle();
  stage.reconnect().say(begun(4));
  first.say(changed(5, "ghost"));
  stage.settle();
  assert.deepEqual(namesTold(stage), []);
  stage.end();
});

Deno.test("a commit that a break cut in two is told once, though the master repeats it", () => {
  const stage = new LinkStage();
  stage.send(LOG);
  // Commit 6 has four changes; the first envelope ends within it and completes only commit 5.
  stage.open().say(begun(4), { ...changed(5, "five", "six-1", "six-2"), begun: 2 });
  stage.settle();
  stage.reconnect().say(begun(5), changed(6, "six-1", "six-2", "six-3", "six-4"), changed(7, "seven"));
  stage.settle();
  assert.deepEqual(namesTold(stage), ["five", "six-1", "six-2", "six-3", "six-4", "seven"]);
  stage.end();
});

Deno.test("a cut commit is told once also where the repetition comes in parts and breaks again", () => {
  const stage = new LinkStage();
  stage.send(LOG);
  const partOf = (...names: string[]) => ({ ...changed(4, ...names), begun: names.length });
  stage.open().say(begun(4), partOf("a", "b"), partOf("c", "d"));
  stage.settle();
  stage.reconnect().say(begun(4), partOf("a", "b", "c"));
  stage.settle();
  stage.reconnect().say(begun(4), partOf("a", "b", "c"), changed(5, "d", "e"));
  stage.settle();
  assert.deepEqual(namesTold(stage), ["a", "b", "c", "d", "e"]);
  stage.end();
});

Deno.test("two commits that say the same in the same words are both told, with a break between them too", () => {
  const stage = new LinkStage();
  stage.send(LOG);
  stage.open().say(begun(4), changed(5, "again"));
  stage.settle();
  stage.reconnect().say(begun(5), changed(6, "again", "other"));
  stage.settle();
  assert.deepEqual(namesTold(stage), ["again", "again", "other"]);
  stage.end();
});

Deno.test("a log goes on in the next epoch of the same store", () => {
  const stage = new LinkStage();
  stage.send(LOG);
  stage.open().say(begun(4), changed(5, "x"));
  stage.settle();
  stage.reconnect().say(begun(5, NEXT_EPOCH), changed(6, "y"));
  stage.settle();
  assert.deepEqual(namesTold(stage), ["x", "y"]);
  assert.deepEqual(stage.broken, []);
  stage.end();
});

Deno.test("a log is broken off where the master has another store", () => {
  const stage = new LinkStage();
  stage.send(LOG);
  stage.open().say(begun(4), changed(5, "x"));
  stage.settle();
  stage.reconnect().say(begun(5, OTHER_STORE), changed(6, "y"));
  stage.settle();
  assert.equal(stage.broken.length, 1);
  assert.match(stage.broken[0] ?? "", /another store/);
  assert.deepEqual(namesTold(stage), ["x"]);
  stage.end();
});

Deno.test("a live subscription begins anew after a reconnection", () => {
  const stage = new LinkStage();
  stage.send({ type: "subscribe", id: "page", kind: "live", after: null });
  const entry = { topic: "status" as const, key: "status", value: 1 };
  const snapshot = {
    type: "snapshot" as const,
    subscription: "page",
    epoch: EPOCH,
    commit: 3,
    entries: [entry],
  };
  stage.open().say(snapshot);
  stage.settle();
  stage.reconnect().say(snapshot);
  stage.settle();
  assert.equal(stage.told.length, 2);
  stage.end();
});

Deno.test("what was unsubscribed is not subscribed again", () => {
  const stage = new LinkStage();
  stage.send(LOG);
  const socket = stage.open();
  stage.send({ type: "unsubscribe", id: "log" });
  stage.settle();
  assert.equal(socket.heard.at(-1)?.type, "unsubscribe");
  assert.deepEqual(stage.reconnect().heard, []);
  stage.end();
});

Deno.test("masters are tried in turn", () => {
  const stage = new LinkStage(["ws://one/socket", "ws://two/socket"]);
  stage.socket.close(1006);
  stage.loop.runFor(1_000);
  stage.socket.close(1006);
  stage.loop.runFor(1_000);
  assert.deepEqual(stage.sockets.map(({ url }) => url), [
    "ws://one/socket",
    "ws://two/socket",
    "ws://one/socket",
  ]);
  stage.end();
});

Deno.test("the waits between tries grow, but a master that came back is found within the longest", () => {
  const stage = new LinkStage();
  for (let tries = 1; tries < 20; tries++) {
    stage.socket.close(1006);
    stage.loop.runFor(10_001);
    assert.equal(stage.sockets.length, tries + 1);
  }
  stage.end();
});

Deno.test("a connection that does not open is given up, and closed should it open later", () => {
  const stage = new LinkStage();
  const [slow] = stage.sockets;
  stage.loop.runFor(DIAL_WITHIN_MS + 200);
  assert.equal(stage.sockets.length, 2);
  slow?.open();
  stage.settle();
  assert.equal(slow?.closedWith, CLOSE.bye.code);
  stage.end();
});

Deno.test("a silent master is asked for a word, and left when it says none", () => {
  const stage = new LinkStage();
  const socket = stage.open();
  stage.loop.runFor(SILENT_AFTER_MS + 6_000);
  assert.ok(socket.heard.some((each) => each.type === "command" && each.command.kind === "workers"));
  assert.equal(socket.closedWith, CLOSE.silent.code);
  assert.ok(stage.sockets.length > 1);
  stage.end();
});

Deno.test("a master that answers is not left, however little there is to say", () => {
  const stage = new LinkStage();
  const socket = stage.open();
  let answered = 0;
  for (let seconds = 0; seconds < 120; seconds++) {
    stage.loop.runFor(1_000);
    for (const each of socket.heard.slice(answered)) if (each.type === "command") socket.say(yes(each.id));
    answered = socket.heard.length;
  }
  assert.equal(stage.sockets.length, 1);
  assert.ok(answered < 15, `${answered} questions in two minutes`);
  assert.deepEqual(stage.replies, []);
  stage.end();
});

Deno.test("a master that says that a person must act ends the client with its words", () => {
  const stage = new LinkStage();
  const socket = stage.open();
  socket.say({
    type: "refused",
    code: "version",
    message: "this master speaks 2",
    path: "",
    advice: "update",
  });
  socket.close(CLOSE.version.code, "version");
  stage.settle();
  assert.deepEqual(stage.states.at(-1), {
    type: "ended",
    reason: "refused",
    message: "this master speaks 2; update",
  });
  assert.equal(stage.sockets.length, 1);
  stage.end();
});

Deno.test("one of two masters may refuse; the other one is tried", () => {
  const stage = new LinkStage(["ws://one/socket", "ws://two/socket"]);
  stage.open().close(CLOSE.unauthorized.code, "unauthorized");
  stage.loop.runFor(1_000);
  assert.equal(stage.socket.url, "ws://two/socket");
  stage.open();
  assert.equal(stage.states.at(-1)?.type, "connected");
  stage.end();
});

Deno.test("a client that every one of its masters refuses ends with the last words", () => {
  const stage = new LinkStage(["ws://one/socket", "ws://two/socket"]);
  for (const message of ["first", "second"]) {
    const socket = stage.open();
    socket.say({ type: "refused", code: "unauthorized", message, path: "", advice: "" });
    socket.close(CLOSE.unauthorized.code, "unauthorized");
    stage.loop.runFor(5_000);
  }
  assert.deepEqual(stage.states.at(-1), { type: "ended", reason: "refused", message: "second" });
  stage.end();
});

Deno.test("bytes that are no frame end the session, not the client", () => {
  const stage = new LinkStage();
  stage.send(command("a"));
  const socket = stage.open();
  socket.tell({ type: "frame", bytes: new Uint8Array([0xc1, 1, 2]) });
  stage.settle();
  assert.equal(socket.closedWith, CLOSE.malformed.code);
  stage.loop.runFor(1_000);
  assert.deepEqual(stage.open().commands, ["a"]);
  stage.end();
});

Deno.test("a client that is closed says goodbye and dials no more", () => {
  const stage = new LinkStage();
  const socket = stage.open();
  stage.send({ type: "close" });
  stage.settle();
  assert.equal(socket.closedWith, CLOSE.bye.code);
  stage.loop.runFor(60_000);
  assert.equal(stage.sockets.length, 1);
  assert.equal(stage.states.at(-1)?.type, "ended");
});

Deno.test("a connection that opens after the client was closed is closed at once", () => {
  const stage = new LinkStage();
  stage.send({ type: "close" });
  stage.settle();
  stage.socket.open();
  assert.equal(stage.socket.closedWith, CLOSE.bye.code);
});
