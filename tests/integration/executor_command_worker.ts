/**
 * A worker reduced to its commands, to be killed: given a data folder, starts a program that stays through SIGTERM, asks
 * it to end, and prints its process's number when it has heard that.
 *
 * @module
 */
import { commandExecutor } from "../../worker/executors/command.ts";
import { attemptOf } from "../conformance/executor_attempts.ts";

const HOUR_MS = 3_600_000;
const SCRIPT = `trap 'echo "[tune-metric]: {{\\"pid\\": $$, \\"heard\\": 1}}"' TERM
setsid sleep 3600 &
echo "[tune-metric]: {{\\"pid\\": $$, \\"heard\\": 0}}"
while :; do sleep 0.02; done`;

const [folder] = Deno.args;
const executor = commandExecutor({ folder });
const evaluator = { kind: "command", command: ["sh", "-c", SCRIPT] } as const;
const running = executor.start(attemptOf({ evaluator, input: { candidate: {} } }), (event) => {
  if (event.type !== "report") return;
  if (event.metrics["heard"] === 0) running.stop(HOUR_MS);
  else console.log(event.metrics["pid"]);
});
