import assert from "node:assert/strict";
import { type Client, CommandFailed, connect, type TaskOutcome } from "../../../client/mod.ts";
import type { Dialer } from "../../../client/link_messages.ts";
import type { Change } from "../../../shared/model/change.ts";
import { groupId, taskId } from "../../../shared/model/ids.ts";
import { SUBMIT_TASKS_MAX } from "../../../shared/protocol/limits.ts";
import type { Command, FromClient } from "../../../shared/protocol/client_envelopes.ts";
import { begun, EPOCH, FakeSocket, no, yes } from "./fake_master.ts";

/** A master that answers by itself, in the process of the test. */
class AnsweringMaster {
  readonly commands: Command[] = [];
  #socket: FakeSocket | undefined;
  #read = 0;
  #commit = 1;
  #log: string | undefined;
  #groups = 0;
  /** Answers a command instead of the usual; undefined leaves it to the usual. */
  answer: (command: Command) => ReturnType<typeof yes> | undefined = () => undefined;

  readonly dialer: Dialer = {
    dial: (url, _token, events) => {
      this.#socket = new FakeSocket(url, events);
      queueMicrotask(() => this.#socket?.open());
      this.#listen(this.#socket);
    },
  };

  connect(): Promise<Client> {
    return connect({ url: "http://fake", token: "token", dialer: this.dialer });
  }

  /** Tells the log of changes, as one commit. */
  tell(...changes: Change[]): void {
    if (this.#log === undefined) throw new Error("nobody listens");
    this.#commit += 1;
    const commit = this.#commit;
    this.#socket?.say({ type: "change", subscription: this.#log, commit, changes, entries: [] });
  }

  readonly #logLeft = Promise.withResolvers<void>();

  /** Fulfilled when the client ends its log subscription. */
  get logLeft(): Promise<void> {
    return this.#logLeft.promise;
  }

  get listensToLog(): boolean {
    return this.#log !== undefined;
  }

  #listen(socket: FakeSocket): void {
    const push = socket.heard.push.bind(socket.heard);
    socket.heard.push = (...heard: FromClient[]) => {
      const length = push(...heard);
      queueMicrotask(() => this.#answerAll(socket));
      return length;
    };
  }

  #answerAll(socket: FakeSocket): void {
    for (; this.#read < socket.heard.length; this.#read++) {
      const envelope = socket.heard[this.#read];
      if (envelope?.type === "subscribe" && envelope.kind === "log") {
        this.#log = envelope.id;
        socket.say(begun(this.#commit, EPOCH, envelope.id));
      } else if (envelope?.type === "unsubscribe") {
        this.#log = undefined;
        this.#logLeft.resolve();
      } else if (envelope?.type === "command") {
        this.commands.push(envelope);
        const reply = this.answer(envelope) ?? this.#usual(envelope);
        socket.say(reply);
      }
    }
  }

  #usual({ id, command }: Command): ReturnType<typeof yes> {
    switch (command.kind) {
      case "submit":
        return yes(id, {
          group: `${command.name}.${++this.#groups}`,
          first: 1,
          count: command.payloads.length,
        });
      case "run":
        return yes(id, { experiment: "quick-1" });
      case "workers":
        return yes(id, []);
      default:
        return yes(id, {});
    }
  }
}

function ended(group: string, number: number): Change {
  const task = taskId(groupId(group), number);
  return { kind: "ended", task, state: "completed", metrics: { score: number }, worker: "w", elapsedMs: 1 };
}

/** The batches of inputs that were submitted, by how many each has. */
function batchSizes(master: AnsweringMaster): number[] {
  return master.commands.flatMap(({ command }) => command.kind === "submit" ? [command.payloads.length] : []);
}

const NOOP = { kind: "builtin", name: "noop" } as const;

Deno.test("inputs are split into batches that the protocol allows, and the handle spans them", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  const inputs = Array.from({ length: 2 * SUBMIT_TASKS_MAX + 5 }, (_, x) => ({ x }));
  const handle = await client.submit({ name: "many", evaluator: NOOP, inputs });
  assert.equal(await handle.submitted, inputs.length);
  assert.deepEqual(batchSizes(master), [SUBMIT_TASKS_MAX, SUBMIT_TASKS_MAX, 5]);
  assert.deepEqual(handle.groups, ["many.1", "many.2", "many.3"]);
});

Deno.test("a batch ends before its bytes are too many", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  const payload = new Uint8Array(250 * 1024);
  const handle = await client.submit({ name: "big", evaluator: NOOP, payloads: Array(32).fill(payload) });
  assert.equal(await handle.submitted, 32);
  assert.deepEqual(batchSizes(master), [15, 15, 2]);
});

Deno.test("an input that is too large is refused by its index, before anything of its batch is sent", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  const inputs = [1, "x".repeat(300 * 1024)];
  await assert.rejects(client.submit({ name: "big", evaluator: NOOP, inputs }), (error) => {
    assert.ok(error instanceof CommandFailed);
    assert.equal(error.code, "payload_too_large");
    assert.equal(error.path, "inputs[1]");
    return true;
  });
  assert.deepEqual(batchSizes(master), []);
});

Deno.test("outcomes carry the index of their input, across batches", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  const inputs = Array.from({ length: SUBMIT_TASKS_MAX + 1 }, (_, x) => x);
  const told: TaskOutcome[] = [];
  const handle = await client.submit({
    name: "many",
    evaluator: NOOP,
    inputs,
    onOutcomes: (all) => told.push(...all),
  });
  await handle.submitted;
  master.tell(ended("many.2", 1), ended("many.1", 7));
  for (let number = 1; number <= SUBMIT_TASKS_MAX; number++) {
    if (number !== 7) master.tell(ended("many.1", number));
  }
  const counts = await handle.wait();
  assert.equal(counts.completed, inputs.length);
  assert.deepEqual(told.slice(0, 2).map(({ index }) => index), [SUBMIT_TASKS_MAX, 6]);
  assert.equal(new Set(told.map(({ index }) => index)).size, inputs.length);
});

Deno.test("an outcome that overtakes the reply of its submission is not lost", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  master.answer = ({ command }) => {
    if (command.kind === "submit") master.tell(ended("fast.1", 1), ended("fast.1", 2), ended("other.1", 1));
    return undefined;
  };
  const handle = await client.submit({ name: "fast", evaluator: NOOP, inputs: [1, 2] });
  assert.equal((await handle.wait()).completed, 2);
});

Deno.test("outcomes can be iterated over, one by one, until all have come", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  const handle = await client.submit({ name: "some", evaluator: NOOP, inputs: [1, 2, 3] });
  master.tell(ended("some.1", 2), ended("some.1", 1));
  master.tell(ended("some.1", 3));
  const indices: number[] = [];
  for await (const { index, metrics } of handle.outcomes()) {
    indices.push(index);
    assert.equal(metrics?.["score"], index + 1);
  }
  assert.deepEqual(indices, [1, 0, 2]);
});

Deno.test("a submission of nothing is over at once", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  const handle = await client.submit({ name: "none", evaluator: NOOP, inputs: [] });
  assert.equal((await handle.wait()).submitted, 0);
});

Deno.test("a full queue delays a submission and does not double it", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  let refused = 0;
  master.answer = ({ id, command }) =>
    command.kind === "submit" && refused++ === 0 ? no(id, "queue_full", 1) : undefined;
  const handle = await client.submit({ name: "late", evaluator: NOOP, inputs: [1] });
  assert.equal(await handle.submitted, 1);
  const ids = master.commands.filter(({ command }) => command.kind === "submit").map(({ id }) => id);
  assert.equal(ids.length, 2);
  assert.equal(ids[0], ids[1]);
});

Deno.test("a refused submission says why, to the submitter and to whoever reads its outcomes", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  master.answer = ({ id, command }) => command.kind === "submit" ? no(id, "forbidden", null) : undefined;
  await assert.rejects(client.submit({ name: "no", evaluator: NOOP, inputs: [1] }), { code: "forbidden" });
});

Deno.test("a callback that throws fails its submission and not the client", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  const onOutcomes = () => {
    throw new Error("my own fault");
  };
  const handle = await client.submit({ name: "bad", evaluator: NOOP, inputs: [1], onOutcomes });
  master.tell(ended("bad.1", 1));
  await assert.rejects(handle.wait(), /my own fault/);
  assert.deepEqual(await client.workers(), []);
});

Deno.test("a task that no worker could run is refused before it is sent, and the client goes on", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  const submitting = client.submit({ name: "bad", evaluator: NOOP, deadlineMs: -1, inputs: [1] });
  await assert.rejects(submitting, { code: "bad_task", path: "deadlineMs" });
  assert.deepEqual(await client.workers(), []);
});

Deno.test("a client that waits for nothing more is told of no changes", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  const handle = await client.submit({ name: "one", evaluator: NOOP, inputs: [1] });
  master.tell(ended("one.1", 1));
  await handle.wait();
  await master.logLeft;
  assert.equal(master.listensToLog, false);
});

Deno.test("an experiment tells its trials and its states, and ends with its summary", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  let state = "running";
  master.answer = ({ id, command }) =>
    command.kind === "experiment"
      ? yes(id, { summary: { experiment: "quick-1", state }, spec: {} })
      : undefined;
  const trials: string[] = [];
  const states: string[] = [];
  const handle = await client.run(
    { name: "quick", space: { kind: "cnn", classes: 10 }, budget: { trials: 1 } },
    { onTrial: ({ task }) => trials.push(task), onState: (now) => states.push(now) },
  );
  const changes = Array.fromAsync(handle.changes());
  const over = handle.wait();
  master.tell(ended("quick-1", 1));
  state = "completed";
  const experiment = groupId("quick-1");
  master.tell({ kind: "experiment", experiment, name: "quick", state: "completed", reason: "" });
  assert.equal((await over).state, "completed");
  assert.deepEqual((await changes).map(({ kind }) => kind), ["ended", "experiment"]);
  assert.deepEqual([trials, states], [["quick-1/1"], ["completed"]]);
});

Deno.test("the answer that an experiment is over does not overtake its last changes", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  master.answer = ({ id, command }) =>
    command.kind === "experiment"
      ? yes(id, { summary: { experiment: "quick-1", state: "cancelled" }, spec: {} })
      : undefined;
  const trials: string[] = [];
  const spec = { name: "quick", space: { kind: "cnn", classes: 10 }, budget: { trials: 1 } } as const;
  const handle = await client.run(spec, { onTrial: ({ task }) => trials.push(task) });
  const over = handle.wait();
  // An answer has come and gone by the time that this one comes.
  await handle.show();
  master.tell(ended("quick-1", 1));
  const experiment = groupId("quick-1");
  master.tell({ kind: "experiment", experiment, name: "quick", state: "cancelled", reason: "" });
  assert.equal((await over).state, "cancelled");
  assert.deepEqual(trials, ["quick-1/1"]);
});

Deno.test("an experiment that was over before anyone listened is not waited for", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  master.answer = ({ id, command }) =>
    command.kind === "experiment"
      ? yes(id, { summary: { experiment: "quick-1", state: "completed" }, spec: {} })
      : undefined;
  const handle = await client.experiment("quick-1");
  assert.equal((await handle.wait()).state, "completed");
  assert.deepEqual(await Array.fromAsync(handle.changes()), []);
});

Deno.test("whoever waits when the client is closed is told so", async () => {
  const master = new AnsweringMaster();
  const client = await master.connect();
  const handle = await client.submit({ name: "one", evaluator: NOOP, inputs: [1] });
  const waiting = assert.rejects(handle.wait(), { code: "closed" });
  await client.close();
  await waiting;
  await assert.rejects(client.workers(), { code: "closed" });
});

Deno.test("a master that refuses is told with its own words", async () => {
  const dialer: Dialer = {
    dial: (_url, _token, events) =>
      queueMicrotask(() =>
        events({ type: "closed", code: 4103, reason: "the master does not accept this token" })
      ),
  };
  await assert.rejects(connect({ url: "http://fake", token: "x", dialer }), {
    code: "refused",
    message: "the master refused: the master does not accept this token",
  });
});

Deno.test("a master that does not answer is told by its address and the last problem", async () => {
  const dialer: Dialer = {
    dial: (_url, _token, events) =>
      queueMicrotask(() => events({ type: "closed", code: 1006, reason: "tcp error" })),
  };
  await assert.rejects(connect({ url: "nowhere:1", token: "x", dialer, connectWithinMs: 20 }), (error) => {
    assert.ok(error instanceof CommandFailed);
    assert.equal(error.code, "unreachable");
    assert.match(error.message, /ws:\/\/nowhere:1\/socket: tcp error/);
    return true;
  });
});

Deno.test("a store that is full, slow or stuck for a while ends no wait for an experiment", async () => {
  const refusals = ["store_fault", "no_answer"];
  const master = new AnsweringMaster();
  await using client = await master.connect();
  let asked = 0;
  master.answer = ({ id, command }) => {
    if (command.kind !== "experiment") return undefined;
    // The first one names the experiment, and whoever names it hears at once that nobody can be asked.
    asked += 1;
    const refusal = asked === 1 ? undefined : refusals.shift();
    if (refusal !== undefined) return no(id, refusal, 1);
    return yes(id, { summary: { experiment: "quick-1", state: "completed" }, spec: {} });
  };
  const handle = await client.experiment("quick-1");
  assert.equal((await handle.wait()).state, "completed");
  assert.deepEqual(refusals, []);
});

Deno.test("what fits no command is refused before it is sent, and what else was asked goes on", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  const handle = await client.submit({ name: "good", evaluator: NOOP, inputs: [1] });
  await assert.rejects(client.cancel("no such/name"), { code: "bad_command", path: "group" });
  await assert.rejects(client.show(""), { code: "bad_command", path: "experiment" });
  await assert.rejects(client.stop("worker", NaN), { code: "bad_command", path: "graceMs" });
  await assert.rejects(client.submit({ name: "a b", evaluator: NOOP, inputs: [1] }), { path: "name" });
  master.tell(ended("good.1", 1));
  assert.equal((await handle.wait()).completed, 1);
});

Deno.test("rows that are too large for one answer are asked for in smaller pages", async () => {
  const master = new AnsweringMaster();
  await using client = await master.connect();
  const row = {
    state: "failed",
    attempts: 1,
    metrics: null,
    candidate: 1,
    cause: null,
    message: null,
    worker: null,
    elapsedMs: 1,
    endedAtMs: 1,
    parents: [],
  };
  const rowsMax = 300, trials = 1_100;
  master.answer = ({ id, command }) => {
    if (command.kind !== "trials") return undefined;
    if (command.limit > rowsMax) return no(id, "too_large", null);
    const count = Math.min(command.limit, trials - command.after);
    return yes(
      id,
      Array.from({ length: count }, (_, index) => ({ ...row, trial: command.after + index + 1 })),
    );
  };
  const numbers = (await Array.fromAsync(client.trials("quick-1"))).map(({ trial }) => trial);
  assert.deepEqual(numbers, Array.from({ length: trials }, (_, index) => index + 1));
});
