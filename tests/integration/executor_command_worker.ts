/**
 * A worker reduced to its commands, to be killed: given a data folder and whether to use control groups, starts a program that stays through SIGTERM, asks
 * it to end, and prints its process's number when it has heard that.
 *
 * @module
 */
import { commandExecutor } from "../../worker/executors/command/command.ts";
import { attemptOf } from "../conformance/executor_attempts.ts";

const HOUR_MS = 3_600_000;
const SCRIPT = `trap 'echo "[tune-metric]: {{\\"pid\\": $$, \\"heard\\": 1}}"' TERM
setsid sh -c 'touch left; exec sleep 3600' &
until [ -e left ]; do sleep 0.01; done
echo "[tune-metric]: {{\\"pid\\": $$, \\"heard\\": 0}}"
while :; do sleep 0.02; done`;

const [folder, cgroups] = Deno.args;
const executor = commandExecutor({ folder, cgroups: cgroups === "cgroups" });
const evaluator = { kind: "command", command: ["sh", "-c", SCRIPT] } as const;
const running = executor.start(attemptOf({ evaluator, input: { candidate: {} } }), (event) => {
  if (event.type !== "report") return;
  if (event.metrics["heard"] === 0) running.stop(HOUR_MS);
  else console.log(event.metrics["pid"]);
});
