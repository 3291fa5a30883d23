/**
 * A worker reduced to its executor, to be killed: given a data folder, starts the fixtures that it is told, one a slot, prints the number of
 * each evaluator's process when the evaluator has begun, and goes on for ever.
 *
 * @module
 */
import { moduleExecutor } from "../../worker/executors/module/module.ts";
import { attemptOf, fixture, observe } from "../conformance/executor_attempts.ts";

const [folder, ...names] = Deno.args;
const executor = moduleExecutor({ folder });
for (const [slot, name] of names.entries()) {
  const { reported } = observe(
    executor,
    attemptOf({ evaluator: fixture(name), input: { candidate: {} } }, slot),
  );
  reported.then(({ pid }) => console.log(pid));
}
setInterval(() => {}, 3_600_000);
