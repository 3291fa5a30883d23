/**
 * A worker reduced to its Python executor, to be killed: given a data folder and a file, starts an attempt, asks it to end
 * when it has begun, and prints the number of its process when it has heard that.
 *
 * @module
 */
import { pythonExecutor } from "../../worker/executors/python/python.ts";
import { attemptOf } from "../conformance/executor_attempts.ts";

const HOUR_MS = 3_600_000;

const [folder = "", path = ""] = Deno.args;
const executor = pythonExecutor({ folder, cgroups: false });
const sample = { evaluator: { kind: "python", path } as const, input: { candidate: {} } };
const running = executor.start(attemptOf(sample), (event) => {
  if (event.type !== "report") return;
  if (event.metrics["heard"] === 0) running.stop(HOUR_MS);
  else console.log(event.metrics["pid"]);
});
