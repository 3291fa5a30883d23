/**
 * Every way in which an evaluator can go wrong, with real processes.
 *
 * @module
 */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { moduleExecutor, type ModuleOptions } from "../../worker/executors/module.ts";
import type { Executor } from "../../worker/executors/executor.ts";
import { attemptOf, type End, fixture, observe, run } from "../conformance/executor_attempts.ts";
import { untilGone } from "../conformance/executor_processes.ts";

/** What hangs is a failure. */
const TIMEOUT_MS = 30_000;
/** Longer than any test waits, and than a timer can be set to. */
const GRACE_MS = 2 ** 33;
/** Enough for the harness, soon full. */
const SMALL_HEAP_MIB = 64;

function test(
  sentence: string,
  body: (executor: Executor) => Promise<void>,
  options: ModuleOptions = {},
): void {
  const fn = async () => {
    const executor = moduleExecutor(options);
    try {
      await body(executor);
    } finally {
      await executor.close();
    }
  };
  Deno.test(sentence, { timeout: TIMEOUT_MS }, fn);
}

/** Runs a fixture to its end. */
function end(executor: Executor, name: string, candidate: unknown = {}): Promise<End> {
  return run(executor, { evaluator: fixture(name), input: { candidate } });
}

/** The failure of a fixture. */
async function failure(executor: Executor, name: string, candidate: unknown = {}) {
  const ended = await end(executor, name, candidate);
  if (ended.state === "failed") return ended;
  throw new Error(`it ended as ${JSON.stringify(ended)}`);
}

/** Runs a module that is written for the test. */
async function endOf(executor: Executor, source: string): Promise<End> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/evaluate.ts`, source);
    const evaluator = { kind: "module", path: `${folder}/evaluate.ts` } as const;
    return await run(executor, { evaluator, input: { candidate: {} } });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

test("an evaluator is given its candidate and context, and its reports come in order", async (executor) => {
  const sample = {
    evaluator: fixture("measures"),
    input: { candidate: { value: 21 }, architecture: { nodes: [1, 2, 3] }, seed: 7 },
  };
  const { events, ended } = observe(executor, attemptOf(sample, 0, 12));
  await ended;
  deepEqual(events, [
    { type: "report", step: 1, metrics: { loss: 0.5 } },
    { type: "report", step: 2, metrics: { loss: 0.25 } },
    {
      type: "ended",
      end: { state: "completed", metrics: { value: 42, seed: 7, trial: 12, attempt: 1, nodes: 3 } },
    },
  ]);
});

test("a process serves the attempts of its slot one after the other", async (executor) => {
  for (const attempts of [1, 2, 3]) {
    deepEqual(await end(executor, "counts"), { state: "completed", metrics: { attempts } });
  }
  const other = { evaluator: fixture("counts"), input: { candidate: {} } };
  deepEqual(await run(executor, other, 1), { state: "completed", metrics: { attempts: 1 } });
});

test("another module gets another process", async (executor) => {
  await end(executor, "counts");
  await end(executor, "measures", { value: 1 });
  deepEqual(await end(executor, "counts"), { state: "completed", metrics: { attempts: 1 } });
});

test("a process is replaced when it has served its time", async (executor) => {
  for (const attempts of [1, 2, 1, 2]) {
    deepEqual(await end(executor, "counts"), { state: "completed", metrics: { attempts } });
  }
}, { attemptsPerProcess: 2 });

test("a module that was changed is loaded anew", async (executor) => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/evaluate.ts`;
  for (const value of [1, 2]) {
    await Deno.writeTextFile(path, `export const evaluate = () => ({ value: ${value} });`);
    await Deno.utime(path, value, value);
    const ended = await run(executor, { evaluator: { kind: "module", path }, input: { candidate: {} } });
    deepEqual(ended, { state: "completed", metrics: { value } });
  }
  await Deno.remove(folder, { recursive: true });
});

test("a folder with a comma in its name is refused, since it would be read as two", async (executor) => {
  const evaluator = { kind: "module", path: "/nowhere/a,/evaluate.ts" } as const;
  const ended = await run(executor, { evaluator, input: { candidate: {} } });
  ok(ended.state === "failed" && ended.final && ended.message.includes("comma"), JSON.stringify(ended));
});

test("a folder with a space and other signs in its name can be read", async (executor) => {
  const folder = await Deno.makeTempDir({ prefix: "a b#c%20'd" });
  const path = `${folder}/evaluate.ts`;
  await Deno.writeTextFile(path, "export const evaluate = () => { throw new Error('here'); };");
  const ended = await run(executor, { evaluator: { kind: "module", path }, input: { candidate: {} } });
  equal(ended.state === "failed" && ended.stack, "here\n    at evaluate (evaluate.ts:1:39)");
  await Deno.remove(folder, { recursive: true });
});

test("the folder's own deno.json maps names", async (executor) => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/evaluate.ts`;
  await Deno.writeTextFile(`${folder}/deno.json`, '{ "imports": { "answer": "./answer.ts" } }');
  await Deno.writeTextFile(`${folder}/answer.ts`, "export const answer = 42;");
  await Deno.writeTextFile(
    path,
    'import { answer } from "answer";\nexport const evaluate = () => ({ answer });',
  );
  const ended = await run(executor, { evaluator: { kind: "module", path }, input: { candidate: {} } });
  deepEqual(ended, { state: "completed", metrics: { answer: 42 } });
  await Deno.remove(folder, { recursive: true });
});

test("what is thrown is told with the evaluator's own frames", async (executor) => {
  const { message, stack, final } = await failure(executor, "fails", { throws: "error" });
  equal(message, "does not work");
  equal(stack, "does not work\n    at deep (fails.ts:30:9)\n    at evaluate (fails.ts:9:14)");
  equal(final, false);
  equal((await failure(executor, "fails", { throws: "type error" })).message, "TypeError: of this type not");
  match(
    (await failure(executor, "fails", { throws: "text" })).message,
    /threw "a text", which is not an Error/,
  );
  match((await failure(executor, "fails", { throws: "nothing" })).message, /threw undefined/);
  match((await failure(executor, "fails", { throws: "trap" })).message, /cannot be read/);
});

test("an evaluator says that its failure is final by name or by exit code", async (executor) => {
  const { message, final } = await failure(executor, "fails", { throws: "fatal" });
  deepEqual({ message, final }, { message: "never again", final: true });
  equal((await failure(executor, "fails", { throws: "exit code 78" })).final, true);
  equal((await failure(executor, "exits", { code: 78 })).final, true);
});

test("a failure leaves the process warm", async (executor) => {
  await end(executor, "measures", null);
  const { state } = await end(executor, "measures", { value: 1 });
  equal(state, "completed");
});

test("what is no metrics is a failure that names the key", async (executor) => {
  const problems = {
    nan: /its metric "loss" is NaN/,
    infinity: /its metric "loss" is -Infinity/,
    text: /its metric "loss" is a string/,
    nested: /its metric "train" is an object/,
    nothing: /it is undefined/,
    null: /it is null/,
    number: /it is the number 0.5/,
    array: /it is an array/,
    map: /it is a Map/,
    many: /it has 257 metrics; it may have 256/,
    "long name": /its metric "x+\.\.\." has 201 characters; it may have 200/,
  };
  for (const [returns, pattern] of Object.entries(problems)) {
    match((await failure(executor, "returns", { returns })).message, pattern);
  }
  const largest = await end(executor, "returns", { returns: "most that is allowed" });
  equal(largest.state === "completed" && Object.keys(largest.metrics).length, 256);
});

test("a report that is no measurement is an error in the evaluator", async (executor) => {
  const cases = [
    [{ step: 1, metrics: "nan" }, /report needs metrics, but its metric "loss" is NaN/],
    [{ step: 1, metrics: [] }, /report needs metrics, but it is an array/],
    [{ step: -1, metrics: {} }, /report needs a step, a whole number from 0, and was given -1/],
    [{ metrics: {} }, /was given undefined/],
  ] as const;
  for (const [candidate, pattern] of cases) {
    match((await failure(executor, "reports_badly", candidate)).message, pattern);
  }
});

test("a module that is not there, is none, or exports no evaluate is a final failure", async (executor) => {
  const cases = {
    not_there: /there is no module \S+not_there\.ts on this machine/,
    no_evaluate: /no_evaluate\.ts exports no function evaluate/,
    imports_outside:
      /cannot load \S+imports_outside\.ts: Requires read access to .*in its own folder, and nothing else/,
  };
  for (const [name, pattern] of Object.entries(cases)) {
    const { message, final } = await failure(executor, name);
    match(message, pattern);
    equal(final, true);
  }
  const folder = { kind: "module", path: "/" } as const;
  const ended = await run(executor, { evaluator: folder, input: { candidate: {} } });
  ok(ended.state === "failed" && ended.final && ended.message.includes("is not a file"));
});

test("broken syntax and packages that nobody downloaded are final failures", async (executor) => {
  const broken = await endOf(executor, "export const evaluate = (=>");
  ok(broken.state === "failed" && broken.final);
  match(broken.message, /cannot load \S+evaluate\.ts: SyntaxError: Expression expected/);
  const uncached = await endOf(executor, 'import "npm:espalier-no-such-package@1.0.0";');
  ok(uncached.state === "failed" && uncached.final);
  match(uncached.message, /espalier-no-such-package.*run `deno cache` on the evaluator first/s);
});

test("a module that fails while it is loaded says why", async (executor) => {
  const { message, stack, final } = await failure(executor, "fails_on_load");
  match(message, /fails_on_load\.ts failed while it was loaded: no data here/);
  match(stack ?? "", /at fails_on_load\.ts:2:7/);
  equal(final, false);
  const { message: waiting } = await failure(executor, "load_never_ends");
  match(waiting, /waits, while it is loaded, for a promise that nothing is left to resolve/);
});

test("prints neither forge nor hide what the evaluator says", async (executor) => {
  for (const amount of [0, 1, 17, 100_000]) {
    const sample = { evaluator: fixture("prints"), input: { candidate: { amount } } };
    const { events, ended } = observe(executor, attemptOf(sample));
    deepEqual(await ended, { state: "completed", metrics: { steps: 20 } });
    deepEqual(events.slice(0, -1).map((event) => event.type === "report" && event.step), [
      ...Array(20).keys(),
    ]);
  }
});

test("a failure comes with the first and the last of what was printed", async (executor) => {
  const { message, stack = "" } = await failure(executor, "prints_and_fails");
  equal(message, "after the prints");
  match(stack, /the first words[^]*\[\d+ bytes left out\][^]*the last words/);
  ok(stack.length < 6_000);
});

test("an evaluator cannot read what was meant for the harness", async (executor) => {
  for (let time = 0; time < 2; time += 1) {
    deepEqual(await end(executor, "reads_input"), { state: "completed", metrics: { ended: 1, bytes: 0 } });
  }
});

test("an evaluator reads its own folder and nothing else", async (executor) => {
  const token = "ESPALIER_TOKEN";
  Deno.env.set(token, "not for evaluators");
  const ended = await end(executor, "reaches_out");
  Deno.env.delete(token);
  ok(ended.state === "completed", JSON.stringify(ended));
  deepEqual(Object.entries(ended.metrics).filter(([, isRefused]) => isRefused !== 1), []);
});

test("the worker's environment does not reach the process", async (executor) => {
  Deno.env.set("ESPALIER_TOKEN", "not for evaluators");
  const { reported, running, ended } = observe(
    executor,
    attemptOf({ evaluator: fixture("waits_for_stop"), input: { candidate: {} } }),
  );
  const { pid } = await reported;
  Deno.env.delete("ESPALIER_TOKEN");
  const environment = Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0").map((entry) =>
    entry.split("=")[0]
  );
  running.stop(0);
  await ended;
  const known = [
    "DENO_DIR",
    "DENO_NO_UPDATE_CHECK",
    "HOME",
    "NO_COLOR",
    "PWD",
    "TMPDIR",
    "TZ",
    "XDG_CACHE_HOME",
  ];
  deepEqual(environment.filter((name) => name !== undefined && name !== "" && !known.includes(name)), []);
});

test("an evaluator that ends its own process has failed, and the next one gets a new process", async (executor) => {
  const { message, stack = "" } = await failure(executor, "exits", { code: 3 });
  equal(message, "the evaluator's process ended with exit code 3");
  match(stack, /leaving/);
  const observed = observe(
    executor,
    attemptOf({ evaluator: fixture("exits"), input: { candidate: { code: 0 } } }),
  );
  const { pid = 0 } = await observed.reported;
  const ended = await observed.ended;
  ok(ended.state === "failed" && ended.message.includes("exit code 0"));
  deepEqual(await untilGone(new Set([pid])), []);
});

test("an evaluator that takes memory without end is told of its limit", async (executor) => {
  const { message } = await failure(executor, "allocates");
  equal(message, `the evaluator needed more memory than its limit of ${SMALL_HEAP_MIB} MiB`);
}, { heapMiB: SMALL_HEAP_MIB });

test("an evaluator that waits for nothing is found out", async (executor) => {
  const { message } = await failure(executor, "never_resolves");
  equal(message, "the evaluator waits for a promise that nothing is left to resolve");
});

test("what fails in the background fails the attempt", async (executor) => {
  const rejection = await failure(executor, "fails_in_background", { how: "rejection" });
  match(
    rejection.message,
    /in the background, a rejected promise that nobody handled: nobody waited for this/,
  );
  const thrown = await failure(executor, "fails_in_background", { how: "timer" });
  match(thrown.message, /in the background, an error that nobody handled: RangeError: thrown by a timer/);
});

test("what an attempt leaves behind says nothing in the name of the next", async (executor) => {
  for (let time = 0; time < 3; time += 1) {
    const sample = { evaluator: fixture("leaves_behind"), input: { candidate: {} } };
    const { events, ended } = observe(executor, attemptOf(sample));
    deepEqual(await ended, { state: "completed", metrics: { value: 1 } });
    equal(events.length, 1);
  }
});

test("an evaluator that ends when it is asked to leaves its process warm", async (executor) => {
  const pids = new Set();
  for (let time = 0; time < 3; time += 1) {
    const observed = observe(
      executor,
      attemptOf({ evaluator: fixture("waits_for_stop"), input: { candidate: {} } }),
    );
    pids.add((await observed.reported).pid);
    observed.running.stop(GRACE_MS);
    deepEqual(await observed.ended, { state: "stopped" });
  }
  equal(pids.size, 1);
});

for (const name of ["loops", "ignores_stop"]) {
  test(`an evaluator that ${name.replace("_", " ")} is killed after its grace period`, async (executor) => {
    const observed = observe(executor, attemptOf({ evaluator: fixture(name), input: { candidate: {} } }));
    const { pid = 0 } = await observed.reported;
    const stopped = performance.now();
    observed.running.stop(100);
    deepEqual(await observed.ended, { state: "stopped" });
    ok(performance.now() - stopped >= 99);
    deepEqual(await untilGone(new Set([pid])), []);
  });
}

test("a second stop shortens the grace period and never lengthens it", async (executor) => {
  const observed = observe(executor, attemptOf({ evaluator: fixture("loops"), input: { candidate: {} } }));
  await observed.reported;
  observed.running.stop(GRACE_MS);
  observed.running.stop(50);
  observed.running.stop(GRACE_MS);
  deepEqual(await observed.ended, { state: "stopped" });
});

test("a candidate that is too large for a frame is a final failure", async (executor) => {
  const { message, final } = await failure(executor, "measures", { value: "x".repeat(4 * 1024 * 1024) });
  match(message, /take \d+ bytes as JSON; they may take 4194304/);
  equal(final, true);
});

test("a candidate of megabytes arrives whole", async (executor) => {
  const { message } = await failure(executor, "fails", {
    throws: "error",
    ballast: "x".repeat(3 * 1024 * 1024),
  });
  equal(message, "does not work");
});

test("a worker without deno says what to do", async (executor) => {
  const { message, final } = await failure(executor, "measures", { value: 1 });
  match(message, /ended with exit code 127 before its module was loaded|cannot start/);
  equal(final, false);
}, { deno: "/nowhere/deno" });

test("the other slots get their processes when a module has proved loadable", async (executor) => {
  const first = observe(
    executor,
    attemptOf({ evaluator: fixture("waits_for_stop"), input: { candidate: {} } }),
  );
  const { pid } = await first.reported;
  const second = observe(
    executor,
    attemptOf({ evaluator: fixture("waits_for_stop"), input: { candidate: {} } }, 1),
  );
  notEqual((await second.reported).pid, pid);
}, { slots: 3 });

test("an idle process is not kept for ever", async (executor) => {
  const sample = { evaluator: fixture("waits_for_stop"), input: { candidate: {} } };
  const observed = observe(executor, attemptOf(sample));
  const { pid = 0 } = await observed.reported;
  observed.running.stop(GRACE_MS);
  await observed.ended;
  deepEqual(await untilGone(new Set([pid]), 5_000), []);
  const next = observe(executor, attemptOf(sample));
  notEqual((await next.reported).pid, pid);
}, { idleMs: 20 });
