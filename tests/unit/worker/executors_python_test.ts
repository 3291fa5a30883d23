/**
 * Python evaluators as real processes: what they are given, what they give back, and those that behave badly.
 *
 * @module
 */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { OUTPUT_HEAD_BYTES, OUTPUT_TAIL_BYTES } from "../../../worker/executors/output_file.ts";
import { pythonExecutor } from "../../../worker/executors/python/python.ts";
import { attemptOf, run as runOnce } from "../../conformance/executor_attempts.ts";
import { failureOf, metricsOf, testPython, withPython } from "./executors_python_rig.ts";

withPython(
  "an evaluator has its candidate and its context, and espalier without an installation",
  async (rig) => {
    const end = await rig.run(
      `assert context.architecture is None and context.seed == 7 and context.trial == 1 and context.attempt == 1
assert os.path.isdir(context.folder) and os.environ["ESPALIER_DIR"] == context.folder
assert os.getcwd() == os.path.dirname(os.path.abspath(__file__)), os.getcwd()
assert not context.should_stop() and isinstance(espalier.FatalError(), Exception)
return {"slot": context.slot, "x": candidate["model"]["x"], "ints": 10**20}`,
      { model: { x: 2.5 } },
    );
    deepEqual(end, { state: "completed", metrics: { slot: 0, x: 2.5, ints: 1e20 } });
  },
);

withPython(
  "one that serves many attempts is imported once, each slot by a process of its own",
  async (rig) => {
    const evaluator = await rig.write(`import os
calls = 0
def evaluate(candidate, context):
    global calls
    calls += 1
    return {"pid": os.getpid(), "calls": calls}`);
    const told = [];
    for (const slot of [0, 0, 1, 0]) told.push(metricsOf(await rig.start(evaluator, {}, slot).ended));
    deepEqual(told.map(({ calls }) => calls), [1, 2, 1, 3]);
    equal(told[0]?.["pid"], told[3]?.["pid"]);
    notEqual(told[0]?.["pid"], told[2]?.["pid"]);
  },
);

withPython(
  "a process is replaced after processTrials attempts, and when its file has changed",
  async (rig) => {
    const evaluator = { ...await rig.write(`return {"pid": os.getpid()}`), processTrials: 2 };
    const pids = [];
    for (let count = 0; count < 3; count += 1) pids.push(metricsOf(await rig.start(evaluator).ended)["pid"]);
    equal(pids[0], pids[1]);
    notEqual(pids[1], pids[2]);
    await rig.write(`return {"new": 1}`, "evaluate_1.py");
    await Deno.utime(evaluator.path, new Date(), new Date(Date.now() + 10_000));
    deepEqual(metricsOf(await rig.start(evaluator).ended), { new: 1 });
  },
);

withPython(
  "reports come by the context and by printed lines, before the end, and a step may be left out",
  async (rig) => {
    const observed = rig.start(
      await rig.write(`context.report(3, loss=1)
context.report(loss=0.5)
context.report(step=9, **{"a/b": 2})
return {"loss": 0}`),
    );
    await observed.ended;
    deepEqual(observed.events.slice(0, -1), [
      { type: "report", step: 3, metrics: { loss: 1 } },
      { type: "report", step: 4, metrics: { loss: 0.5 } },
      { type: "report", step: 9, metrics: { "a/b": 2 } },
    ]);
    const printed = rig.start(
      await rig.write(`print('[tune-metric]: {"loss": 1, "step": 5}')
sys.stdout.write('[tune-metric]: {"loss": 0.5}')
return {"loss": 0}`),
    );
    await printed.ended;
    deepEqual(printed.events.slice(0, -1), [
      { type: "report", step: 5, metrics: { loss: 1 } },
      { type: "report", step: 6, metrics: { loss: 0.5 } },
    ]);
  },
);

withPython(
  "prints lie in the folder of their own attempt, errors and those of children among them",
  async (rig) => {
    const evaluator = await rig.write(`print("one", candidate["n"])
print("two", file=sys.stderr)
os.system("echo three; echo '{\\"type\\": \\"loaded\\"}'")
print("\\ud800 \\0 four", end="")
return {"n": candidate["n"]}`);
    for (const n of [1, 2]) equal((await rig.start(evaluator, { n }).ended).state, "completed");
    for (const n of [1, 2]) {
      const text = await Deno.readTextFile(`${rig.folderOf(n)}/output.txt`);
      equal(text, `one ${n}\ntwo\nthree\n{"type": "loaded"}\n\\ud800 \0 four`);
    }
  },
);

withPython("100 MB of prints cost a bounded file, whose cut is said", async (rig) => {
  const end = await rig.run(`print("begin")
for _ in range(100): sys.stdout.write("x" * 999_999 + "\\n")
print("end")
return {"a": 1}`);
  equal(end.state, "completed");
  const text = await Deno.readTextFile(`${rig.folderOf(1)}/output.txt`);
  ok(text.length < OUTPUT_HEAD_BYTES + OUTPUT_TAIL_BYTES + 100, String(text.length));
  match(text, /^begin\nx+\n\[99\d+ bytes left out\]\nx+\nend\n$/);
});

withPython("what is no metrics is a failure that says what it is", async (rig) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["return None", /must return metrics, but it is None: metrics are a dict of finite numbers/],
    ["return 0.5", /it is the number 0\.5/],
    ["return {'a': float('nan')}", /its metric "a" is nan/],
    ["return {'a': float('-inf')}", /its metric "a" is -inf/],
    ["return {'a': 10**400}", /its metric "a" is too large/],
    ["return {'a': True}", /its metric "a" is True/],
    ["return {'a': 'text'}", /its metric "a" is a str/],
    ["return {1: 1}", /the name of one of its metrics is the number 1/],
    ["return {'__proto__': 1}", /called "__proto__"/],
    ["return {'a' * 1000: 1}", /is longer than 200/],
    ["return {str(i): i for i in range(1000)}", /it has 1000 metrics; it may have 256/],
    ["context.report(1, loss=float('nan'))", /ValueError: its metric "loss" is nan/],
    ["context.report(-1, loss=1)", /TypeError: report needs a step, a whole number from 0/],
    [
      "async def inner(): pass\ncoroutine = inner()\ncoroutine.close()\nreturn coroutine",
      /it is a coroutine/,
    ],
  ];
  for (const [text, words] of cases) {
    const { message, final } = failureOf(await rig.run(text));
    match(message, words);
    equal(final, false, message);
  }
});

withPython("what is raised comes back with type, message and traceback; some of it is final", async (rig) => {
  const { message, stack, final } = failureOf(
    await rig.run(`def inner():
    raise ValueError("bad lr")
try:
    {}["gone"]
except KeyError:
    inner()`),
  );
  equal(message, "ValueError: bad lr");
  equal(final, false);
  match(
    stack,
    /line 7, in evaluate\n[^]*KeyError: 'gone'[^]*evaluate_1\.py", line 9, in evaluate\n[^]*line 5, in inner/,
  );
  ok(!stack.includes("harness.py"), stack);
  const cases: readonly (readonly [string, RegExp, boolean])[] = [
    [`raise espalier.FatalError("no such model")`, /^no such model$/, true],
    [`sys.exit(78)`, /called sys\.exit\(78\)/, true],
    [`sys.exit()`, /called sys\.exit\(\) instead of returning metrics/, false],
    [`raise KeyboardInterrupt`, /^KeyboardInterrupt$/, false],
    [`raise GeneratorExit("x")`, /^GeneratorExit: x$/, false],
    [`def f(): return f()\nf()`, /^RecursionError: maximum recursion depth/, false],
    [`raise ValueError("x" * 50_000_000)`, /^ValueError: x+$/, false],
    [
      `class E(Exception):\n    def __str__(self): raise E()\nraise E()`,
      /raised a E that cannot be read/,
      false,
    ],
    [`raise ValueError("\\ud800")`, /^ValueError: \\ud800$/, false],
    [`os._exit(3)`, /process ended with exit code 3 in the middle/, false],
    [`os._exit(78)`, /exit code 78 in the middle of an attempt, which says/, true],
    [`os.kill(os.getpid(), 11)`, /was ended by SIGSEGV/, false],
    [`os.kill(os.getpid(), 9)`, /was ended by SIGKILL \(the machine may have run out of memory\)/, false],
    [`os.closerange(3, 100)\nreturn {"a": 1}`, /wrote to, or closed, files of its process/, false],
    [
      `[os.write(n, b"garbage\\n") for n in range(4, 5)]\ntime.sleep(60)`,
      /wrote to, or closed, files/,
      false,
    ],
  ];
  for (const [text, words, isFinal] of cases) {
    const failure = failureOf(await rig.run(text));
    match(failure.message, words);
    equal(failure.final, isFinal, text);
    ok(failure.message.length <= 2_100 && failure.stack.length < 14_000);
  }
  equal((await rig.run("return {'a': 1}")).state, "completed");
});

withPython(
  "what cannot be imported is told with file and line, or the module and the interpreter",
  async (rig) => {
    const bad = "# no evaluate\nx = 1\n";
    const cases: readonly (readonly [string, RegExp, boolean])[] = [
      [`${bad}def (:`, /^line 3 of .*evaluate_\d+\.py: /, true],
      [
        `${bad}import no_such_thing`,
        /evaluate_\d+\.py imports no_such_thing, which is not installed for .*python3/,
        false,
      ],
      [`${bad}1 / 0`, /evaluate_\d+\.py failed while it was imported: ZeroDivisionError/, false],
      [bad, /has no function evaluate$/, true],
      [`${bad}import os; os._exit(5)`, /ended with exit code 5 before .* was imported/, false],
      [
        `${bad}import sys; sys.exit(5)`,
        /failed while it was imported: the evaluator called sys\.exit\(5\)/,
        false,
      ],
      [`${bad}raise SystemExit`, /failed while it was imported/, false],
    ];
    for (const [text, words, isFinal] of cases) {
      const failure = failureOf(await rig.run(text));
      match(failure.message, words);
      equal(failure.final, isFinal, text);
    }
  },
);

withPython("a wrong path or interpreter is told before anything is started", async (rig) => {
  const good = await rig.write("return {'a': 1}");
  const told = async (more: object) => failureOf(await rig.start({ ...good, ...more }).ended);
  match(
    (await told({ interpreter: "python9" })).message,
    /interpreter is missing: there is no program "python9"/,
  );
  match(
    (await told({ interpreter: "./venv/bin/python" })).message,
    /there is no program .*with a space\/venv\/bin/,
  );
  deepEqual(await told({ path: "/nowhere/evaluate.py" }).then(({ message, final }) => ({ message, final })), {
    message: "there is no file /nowhere/evaluate.py on this machine",
    final: true,
  });
  match((await told({ path: "/etc/passwd" })).message, /is no Python file/);
  match(
    (await told({ interpreter: "false" })).message,
    /false ended with exit code 1 before .* was imported/,
  );
});

withPython("its environment is that of commands: no secrets, and what the spec names", async (rig) => {
  Deno.env.set("ESPALIER_TOKEN", "secret");
  Deno.env.set("SOME_TOKEN", "secret");
  Deno.env.set("SOME_CACHE", "here");
  try {
    const evaluator = await rig.write(`assert "secret" not in str(os.environ)
assert os.environ["SOME_CACHE"] == "here" and os.environ["SET"] == "a=b" and os.environ["ESPALIER_TRIAL"] == "1"
return {"a": 1}`);
    const end = await rig.start({ ...evaluator, env: ["SOME_CACHE", "SET=a=b"] }).ended;
    equal(end.state, "completed", JSON.stringify(end));
  } finally {
    for (const name of ["ESPALIER_TOKEN", "SOME_TOKEN", "SOME_CACHE"]) Deno.env.delete(name);
  }
});

testPython("an executor without a folder of its own leaves nothing behind", async () => {
  const path = new URL("../../fixtures/evaluators/python/measures.py", import.meta.url).pathname;
  const executor = pythonExecutor();
  const sample = { evaluator: { kind: "python", path } as const, input: { candidate: { value: 2 } } };
  deepEqual(await runOnce(executor, sample), { state: "completed", metrics: { value: 2 } });
  await executor.close();
  const after: unknown[] = [];
  executor.start(attemptOf(sample), (event) => after.push(event));
  deepEqual(after, [{ type: "ended", end: { state: "stopped" } }]);
});
