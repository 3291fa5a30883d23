/**
 * The Python package by itself: its own tests, and that it is whole.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { METRIC_NAME_MAX, METRICS_MAX } from "../../../worker/executors/module/harness/metrics.ts";
import { PYTHON_PACKAGE } from "../../../worker/executors/python/python_program.ts";
import { failureOf, PYTHON, testPython, withPython } from "./executors_python_rig.ts";

/** Prints what is imported from elsewhere than the standard library and the package itself. */
const FOREIGN = `import ast, pathlib, sys
for path in sorted(pathlib.Path("src").rglob("*.py")):
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import): names.update(each.name for each in node.names)
        if isinstance(node, ast.ImportFrom) and node.level == 0: names.add(node.module)
    known = getattr(sys, "stdlib_module_names", ()) or sys.exit(print("torch_layers.py torch"))
    for name in sorted({each.split(".")[0] for each in names} - set(known) - {"espalier"}): print(path.name, name)`;
const PACKAGE = new URL("../../../python/", import.meta.url);
/** What the wheel is built with: setuptools, and before its version 70.1 wheel beside it. */
const BUILDS = `import setuptools, pip
try: import setuptools.command.bdist_wheel
except ImportError: import wheel`;
const canBuild = PYTHON !== undefined && (await python(["-c", BUILDS])).code === 0;

testPython("the tests of the Python package pass", async () => {
  const { code, out } = await python(["-m", "unittest", "discover", "-s", "tests"]);
  equal(code, 0, out);
  match(out, /Ran [1-9]\d* tests/);
});

testPython("the package has the protocol's limits, and is made of the standard library", async () => {
  const { out } = await python([
    "-c",
    "import espalier.metrics as m; print(m.METRICS_MAX, m.METRIC_NAME_MAX)",
  ]);
  equal(out.trim(), `${METRICS_MAX} ${METRIC_NAME_MAX}`);
  // Without site-packages.
  const alone = await python(["-S", "-s", "-c", "import espalier, espalier.harness"]);
  equal(alone.code, 0, alone.out);
  const imported = await python(["-c", FOREIGN]);
  equal(imported.out.trim(), "torch_layers.py torch");
});

Deno.test({
  name: `pyproject.toml builds a wheel with all of the package${
    canBuild ? "" : " (passed over: this python3 has no setuptools, pip or wheel)"
  }`,
  ignore: !canBuild,
  timeout: 60_000,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "espalier-wheel-" });
    try {
      // A build leaves files beside its sources.
      const copy = "import shutil, sys; shutil.copytree('.', sys.argv[1] + '/python')";
      equal((await python(["-c", copy, folder])).code, 0);
      const options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"];
      const built = await python(["-m", "pip", "wheel", `${folder}/python`, ...options, "-w", folder]);
      equal(built.code, 0, built.out);
      const list = "import sys, zipfile; print(*zipfile.ZipFile(sys.argv[1]).namelist())";
      const { out } = await python(["-c", list, `${folder}/espalier-0.1.0-py3-none-any.whl`]);
      const expected = [...Object.keys(PYTHON_PACKAGE), "py.typed"].map((name) => `espalier/${name}`);
      deepEqual(expected.filter((name) => !out.split(/\s/).includes(name)), []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

testPython("the package is written in the Python of its oldest version", async () => {
  const check = `import ast, pathlib
for path in pathlib.Path("src").rglob("*.py"): ast.parse(path.read_text(), feature_version=(3, 9))`;
  const { code, out } = await python(["-c", check]);
  equal(code, 0, out);
});

testPython("a Python that is too old is told so in words", async () => {
  const old = `import runpy, sys
sys.version_info = (3, 8, 1)
runpy.run_path("src/espalier/harness.py", run_name="__main__")`;
  const { code, out } = await python(["-c", old]);
  equal(code, 0, out);
  const answer = JSON.parse(out);
  match(
    answer.message,
    /need Python 3\.9 or newer, and .*python3.* is Python 3\.8\.1: name another interpreter/,
  );
  deepEqual([answer.type, answer.final], ["unloadable", false]);
});

withPython("the README's evaluator in Python evaluates", async (rig) => {
  const readme = await Deno.readTextFile(new URL("../README.md", PACKAGE));
  const [, code = ""] = /^```python\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  const observed = rig.start(await rig.write(code), { learning_rate: 0.001 });
  const end = await observed.ended;
  ok(end.state === "completed" && (end.metrics["loss"] ?? 1) < 0.5, JSON.stringify(end));
  equal(observed.events.length, 5);
});

withPython(
  "the evaluator of the package's own page evaluates, and its failure for good is one",
  async (rig) => {
    const page = await Deno.readTextFile(new URL("README.md", PACKAGE));
    const [, code = ""] = /^```python\n([\s\S]*?)^```$/m.exec(page) ?? [];
    const evaluator = await rig.write(code);
    equal((await rig.start(evaluator, { depth: 2, lr: 0.1 }).ended).state, "completed");
    equal(failureOf(await rig.start(evaluator, { depth: 21, lr: 0.1 }).ended).final, true);
  },
);

Deno.test("a compiled worker carries every file of the package", async () => {
  const files = await Array.fromAsync(Deno.readDir(new URL("src/espalier/", PACKAGE)), ({ name }) => name);
  deepEqual(Object.keys(PYTHON_PACKAGE).toSorted(), files.filter((name) => name.endsWith(".py")).toSorted());
  for (const [name, text] of Object.entries(PYTHON_PACKAGE)) {
    equal(text, await Deno.readTextFile(new URL(`src/espalier/${name}`, PACKAGE)));
  }
});

async function python(args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  const command = new Deno.Command(PYTHON ?? "", {
    args: ["-B", ...args],
    cwd: PACKAGE,
    env: { PYTHONPATH: "src" },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout) + text.decode(stderr) };
}
