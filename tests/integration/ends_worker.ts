/**
 * A worker reduced to its executors, whose attempts start processes that stay: given a data folder, how many attempts, how
 * many at a time, `cancel` or `hold`, and `marks` or `cgroups`.
 *
 * `cancel` cancels each attempt once it has started its processes, and prints how many files were open after a few attempts
 * and after all. `hold` prints a line when all hold their processes, to be killed then.
 *
 * @module
 */
import type { Evaluator } from "../../shared/model/task.ts";
import { commandExecutor } from "../../worker/executors/command/command.ts";
import type { Attempt, Executor } from "../../worker/executors/executor.ts";
import { moduleExecutor } from "../../worker/executors/module/module.ts";
import { pythonExecutor } from "../../worker/executors/python/python.ts";
import { attemptOf, fixture, observe } from "../conformance/executor_attempts.ts";

const GRACE_MS = 5;
/** Attempts after which everything that stays open is open. */
const WARM_UP = 40;

const [folder = "", count = "", atATime = "", way = "", found = "", seconds = ""] = Deno.args;

/** Grandchildren: in the group, out of it, of a parent that has ended; all of them and itself ignore SIGTERM. */
const SCRIPT = `trap '' TERM
sleep ${seconds} &
setsid sleep ${seconds} &
setsid sh -c 'trap "" TERM; (sleep ${seconds} </dev/null >/dev/null 2>&1 & echo >left2 )'
setsid sh -c 'echo >left; exec sleep ${seconds}' </dev/null >/dev/null 2>&1 &
${found === "cgroups" ? `env -i setsid sleep ${seconds} </dev/null >/dev/null 2>&1 &` : ""}
until [ -e left ] && [ -e left2 ]; do sleep 0.01; done
echo '[tune-metric]: {{"holds": 1}}'
while :; do sleep 1; done`;

const PYTHON = `import signal, subprocess
def evaluate(candidate, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["sleep", "${seconds}"])
    subprocess.Popen(["sleep", "${seconds}"], start_new_session=True)
    context.report(holds=1)
    while True: pass
`;

const options = { folder, cgroups: found === "cgroups" };
await Deno.mkdir(folder, { recursive: true });
const file = `${folder}/evaluate.py`;
await Deno.writeTextFile(file, PYTHON);
const ways: readonly (readonly [Executor, Evaluator])[] = [
  [commandExecutor(options), { kind: "command", command: ["sh", "-c", SCRIPT] }],
  [pythonExecutor(options), { kind: "python", path: file }],
  [moduleExecutor(options), fixture("loops_after_report")],
];

let begun = 0;
let ended = 0;

function openFiles(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

/** Of fifty, three are in Python and one is a module. */
function wayOf(number: number): readonly [Executor, Evaluator] {
  const [command, python, module] = ways;
  if (command === undefined || python === undefined || module === undefined) throw new Error("unreachable");
  if (number % 50 === 7) return module;
  return number % 50 === 13 || number % 50 === 29 || number % 50 === 43 ? python : command;
}

function attempt(number: number, slot: number): [Executor, Attempt] {
  const [executor, evaluator] = wayOf(number);
  return [executor, attemptOf({ evaluator, input: { candidate: {} } }, slot, number)];
}

async function serve(slot: number, until: number): Promise<void> {
  while (begun < until) {
    begun += 1;
    const observed = observe(...attempt(begun, slot));
    const first = await Promise.race([observed.reported, observed.ended]);
    if (!("holds" in first)) throw new Error(`an attempt ended: ${JSON.stringify(first)}`);
    if (way === "hold") return;
    observed.running.stop(GRACE_MS);
    const { state } = await observed.ended;
    if (state !== "stopped") throw new Error(`a cancelled attempt is ${state}`);
    ended += 1;
  }
}

/** Runs attempts until so many have begun, and all have ended. */
async function serveAll(until: number): Promise<void> {
  await Promise.all(Array.from({ length: Number(atATime) }, (_, slot) => serve(slot, until)));
}

if (way === "hold") {
  await serveAll(Number(count));
  console.log("holds");
} else {
  await serveAll(WARM_UP);
  const filesEarly = openFiles();
  await serveAll(Number(count));
  const filesLate = openFiles();
  await Promise.all(ways.map(([executor]) => executor.close()));
  console.log(JSON.stringify({ ended, filesEarly, filesLate }));
}
