/**
 * What one trial costs beside its evaluator: a task after the other on one slot, each through an executor.
 *
 * @module
 */
import type { SubmitOptions } from "../../client/mod.ts";
import { type Fleet, median, startFleet } from "./fleet.ts";
import type { Figure } from "./kernel.ts";

const ROUNDS = 5;
const TASKS = 200;
const BY_HAND = 100;

/** Evaluators that measure nothing. */
const MODULE = "export const evaluate = () => ({ value: 1 });\n";
const PYTHON = "def evaluate(candidate, context):\n    return {'value': 1}\n";
const PROGRAM = "/bin/true";

/** Milliseconds a trial through each executor, the evaluator's process warm where it is kept. */
export async function executorOverheads(): Promise<readonly Figure[]> {
  const folder = await Deno.makeTempDir({ prefix: "espalier-bench-" });
  await Deno.writeTextFile(`${folder}/evaluate.ts`, MODULE);
  await Deno.writeTextFile(`${folder}/evaluate.py`, PYTHON);
  const fleet = await startFleet({ workers: 1, slots: 1, hasAllExecutors: true });
  try {
    const builtin = await trialMs(fleet, { kind: "builtin", name: "noop" });
    const module = await trialMs(fleet, { kind: "module", path: `${folder}/evaluate.ts` });
    const python = await trialMs(fleet, { kind: "python", path: `${folder}/evaluate.py` });
    const command = await trialMs(fleet, { kind: "command", command: [PROGRAM], result: "exit_code" });
    const byHand = await byHandMs();
    const beside = `limit: the built-in noop through the same fleet`;
    return [
      figure("module_trial_ms", module, builtin, beside),
      figure("python_trial_ms", python, builtin, beside),
      figure("command_trial_ms", command, byHand, `limit: ${PROGRAM} started by hand and waited for`),
    ];
  } finally {
    await fleet.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

async function trialMs(fleet: Fleet, evaluator: SubmitOptions["evaluator"]): Promise<readonly number[]> {
  const rounds: number[] = [];
  // The first round warms up, and does not count.
  for (let round = 0; round <= ROUNDS; round++) {
    const startedMs = performance.now();
    const handle = await fleet.client.submit({
      name: evaluator.kind,
      evaluator,
      inputs: Array.from({ length: TASKS }, () => ({})),
      onOutcomes: () => {},
    });
    const { completed } = await handle.wait();
    if (completed !== TASKS) throw new Error(`${completed} of ${TASKS} ${evaluator.kind} tasks completed`);
    if (round > 0) rounds.push((performance.now() - startedMs) / TASKS);
  }
  return rounds;
}

async function byHandMs(): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = 0; i < BY_HAND; i++) {
    const startedMs = performance.now();
    await new Deno.Command(PROGRAM, { stdin: "null", stdout: "piped", stderr: "piped" }).output();
    times.push(performance.now() - startedMs);
  }
  return times;
}

function figure(name: string, rounds: readonly number[], limit: readonly number[], beside: string): Figure {
  const shown = rounds.map((ms) => ms.toFixed(2)).join(", ");
  return {
    name,
    value: rounded(median(rounds)),
    unit: "ms/trial",
    limit: rounded(median(limit)),
    detail:
      `median of ${ROUNDS} rounds of ${TASKS} tasks (${shown}), one after the other on one slot; ${beside}`,
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
