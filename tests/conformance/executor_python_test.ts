import { pythonExecutor } from "../../worker/executors/python/python.ts";
import { PYTHON } from "../unit/worker/executors_python_rig.ts";
import { testExecutor } from "./executor_suite.ts";

const input = { candidate: { value: 1 } };

function sample(name: string) {
  const path = new URL(`../fixtures/evaluators/python/${name}.py`, import.meta.url).pathname;
  return { evaluator: { kind: "python", path } as const, input };
}

if (PYTHON === undefined) {
  console.log("passed over, since there is no python3 in PATH: the Python executor's conformance");
} else {
  testExecutor("a Python evaluator that looks whether it should stop", {
    create: pythonExecutor,
    quick: sample("measures"),
    endless: sample("waits_for_stop"),
  });

  testExecutor("a Python evaluator that ignores SIGTERM, as do its children", {
    create: pythonExecutor,
    quick: sample("measures"),
    // Its grace is over as soon as the test says so: the suite's second stop has none.
    endless: sample("ignores_stop"),
  });
}
