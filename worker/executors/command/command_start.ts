/**
 * The start of one command: its folder, its environment, its program.
 *
 * @module
 */
import { SEED_DEFAULT } from "../input.ts";
import { isAbsolute, join } from "node:path";
import { fillCommand } from "../../../shared/model/command.ts";
import { taskParts } from "../../../shared/model/ids.ts";
import type { CommandEvaluator, Lease, TaskInput } from "../../../shared/model/task.ts";
import { deviceEnvironment } from "../../devices/environment.ts";
import type { StartedCommand } from "./command_attempt.ts";
import { OutputFile } from "../output_file.ts";
import { environmentOf, findProgram } from "../find_program.ts";
import type { Attempt } from "../executor.ts";
import type { Lifeline } from "../processes/lifeline.ts";
import { type ProcessLimits, threadVariables } from "../processes/limits.ts";
import { spawnGroup } from "../processes/process_group.ts";
import { putBack } from "../restored.ts";

/** A command that can be tried. */
export interface CommandWork {
  readonly evaluator: CommandEvaluator;
  readonly input: TaskInput;
}

/** Why something cannot be tried. */
export interface Refusal {
  readonly message: string;
  /** It would be the same on every machine. */
  readonly final: boolean;
}

/** What the worker gives to an attempt. */
export interface CommandPlace {
  /** The attempt's own. */
  readonly folder: string;
  readonly lifeline: Lifeline;
  readonly limits: ProcessLimits | undefined;
  /** What the names of its snapshots begin with. */
  readonly snapshots: string;
  warns(message: string): void;
}

/** What an attempt was given, in its folder. */
const TRIAL_FILE = "trial.json";
/** The folder of its checkpoints, in its folder. */
const CHECKPOINTS = "checkpoint";

/** Writes down what is tried, and tries it. @throws Error where the system cannot */
export function startCommand(
  attempt: Attempt,
  { evaluator, input }: CommandWork,
  { folder: attemptFolder, lifeline, limits, snapshots, warns }: CommandPlace,
): StartedCommand | Refusal {
  const { lease, restored, collect } = attempt;
  const checkpoints = join(attemptFolder, CHECKPOINTS);
  const environment = environmentOf(
    {
      ...ownVariables(attempt, { evaluator, input }),
      ESPALIER_DIR: attemptFolder,
      ESPALIER_CHECKPOINT: checkpoints,
      ...deviceEnvironment(attempt.devices),
    },
    evaluator.env,
    threadVariables(limits),
  );
  const folder = evaluator.folder ?? attemptFolder;
  const line = commandLine(evaluator, input.candidate, folder, environment["PATH"] ?? "");
  if ("message" in line) return line;
  Deno.mkdirSync(checkpoints, { mode: 0o700 });
  if (restored !== undefined) putBack(restored.path, checkpoints);
  writeTrial(join(attemptFolder, TRIAL_FILE), lease, input);
  const output = new OutputFile(join(attemptFolder, "stdout.txt"), warns);
  const errors = new OutputFile(join(attemptFolder, "stderr.txt"), warns);
  try {
    const group = spawnGroup({ ...line, folder, environment, lease, limits }, lifeline);
    const { result } = evaluator;
    const restoredStep = restored?.step;
    return {
      group,
      folder: attemptFolder,
      result,
      output,
      errors,
      checkpoints,
      snapshots,
      restoredStep,
      collect,
    };
  } catch (error) {
    void output.close();
    void errors.close();
    throw error;
  }
}

/** A refusal for good. */
export function refusal(message: string): Refusal {
  return { message, final: true };
}

function ownVariables(
  { lease, slot, restored }: Attempt,
  { evaluator, input }: CommandWork,
): Readonly<Record<string, string>> {
  const { group: experiment, number: trial } = taskParts(lease.task);
  return {
    ESPALIER_EXPERIMENT: experiment,
    ESPALIER_TRIAL: String(trial),
    ESPALIER_ATTEMPT: String(lease.attempt),
    ESPALIER_SEED: String(input.seed ?? SEED_DEFAULT),
    ESPALIER_SLOT: String(slot),
    ...(evaluator.array === true ? { ESPALIER_ARRAY_INDEX: String(input.candidate) } : {}),
    ...(restored === undefined ? {} : { ESPALIER_RESTORED_STEP: String(restored.step) }),
  };
}

function writeTrial(path: string, { task, attempt }: Lease, input: TaskInput): void {
  const { group: experiment, number: trial } = taskParts(task);
  const given = { experiment, trial, attempt, ...input, seed: input.seed ?? SEED_DEFAULT };
  Deno.writeTextFileSync(path, `${JSON.stringify(given)}\n`, { mode: 0o600 });
}

function commandLine(
  { command }: CommandEvaluator,
  candidate: unknown,
  folder: string,
  path: string,
): { readonly program: string; readonly args: readonly string[] } | Refusal {
  if (!isAbsolute(folder)) {
    return refusal(
      `the command's folder ${folder} is not absolute: a worker knows no other place to begin from`,
    );
  }
  if (!isFolder(folder)) {
    return refusal(
      `there is no folder ${folder} on this machine, where the command should run: put it there on each worker, or ` +
        `name another as the evaluator's folder`,
    );
  }
  const filled = fillCommand(command, candidate);
  if (!filled.ok) return refusal(filled.message);
  const [name = "", ...args] = filled.words;
  if (filled.words.some((word) => word.includes("\0"))) {
    return refusal("an argument of the command has a zero byte, which no program can be given");
  }
  const found = findProgram(name, folder, path);
  return found.ok ? { program: found.path, args } : refusal(found.message);
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
