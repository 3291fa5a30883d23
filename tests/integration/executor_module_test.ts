/**
 * How a module's process serves attempts, with real processes.
 *
 * @module
 */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { attemptOf, fixture, observe, run } from "../conformance/executor_attempts.ts";
import { untilGone } from "../conformance/executor_processes.ts";
import { end, failure, test } from "./executor_module.ts";

/** Longer than any test waits, and than a timer can be set to. */
const GRACE_MS = 2 ** 33;

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
