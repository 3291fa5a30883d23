/**
 * Every way in which an evaluator can go wrong, with real processes.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { attemptOf, fixture, observe, run } from "../conformance/executor_attempts.ts";
import { untilGone } from "../conformance/executor_processes.ts";
import { end, endOf, failure, test } from "./executor_module.ts";

/** Enough for the harness, soon full. */
const SMALL_HEAP_MIB = 64;

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
  ok(ended.state === "failed" && ended.final && ended.message.includes("is no TypeScript module"));
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
    const steps = events.flatMap((event) => event.type === "report" ? [event.step] : []);
    deepEqual(steps, [...Array(20).keys()]);
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
    // What it is known by when it has left its group; no secret.
    "ESPALIER_LEASE",
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
    deepEqual(events.filter(({ type }) => type === "report"), []);
  }
});
