/**
 * `submit`: a command as plain tasks, without a search.
 *
 * @module
 */
import { basename, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { DEVICES_MAX } from "../../../shared/model/devices.ts";
import type { SubmitOptions } from "../../mod.ts";
import { gather, span, wholeNumber } from "../arguments.ts";
import type { AskOptions, CliContext } from "../context.ts";
import { Failure, UsageError } from "../failure.ts";
import { outputOption, printAnswer } from "../output.ts";
import { coreAmount, gatherLabels, memoryAmount } from "../quantities.ts";
import { withClient, withMasterOptions } from "../session.ts";

/** Tasks of one array. */
export const ARRAY_TASKS_MAX = 1_000_000;

/** The protocol's bound. */
const PRIORITY_MAX = 1_000_000;

interface SubmitVerbOptions extends AskOptions {
  readonly array?: ArrayRange;
  readonly cpus?: number;
  readonly memory?: number;
  readonly gpus?: number;
  readonly gpuMemory?: number;
  readonly label?: readonly string[];
  readonly minTime?: number;
  readonly timeLimit?: number;
  readonly priority?: number;
  readonly retries?: number;
  readonly env?: readonly string[];
  readonly folder: string;
  readonly name?: string;
}

/** From one index to another, both included. */
interface ArrayRange {
  readonly first: number;
  readonly last: number;
}

/** Adds the verb. */
export function addSubmitVerb(program: Command, context: CliContext): void {
  withMasterOptions(program.command("submit"))
    .description("run a command on the workers, once or for each index of an array")
    .usage("[options] -- <command...>")
    .argument("<command...>", "a program and its arguments, as they are; no shell sees them")
    .option(
      "--array <first-last>",
      "a task for each index, which it finds in ESPALIER_ARRAY_INDEX",
      arrayRange,
    )
    .option("--cpus <n>", "cores of each task; parts of one are allowed", coreAmount)
    .option("--memory <amount>", "memory of each, such as 8GiB", memoryAmount)
    .option("--gpus <n>", "GPUs of each, or a share of one below 1, such as 0.5", gpuAmount)
    .option("--gpu-memory <amount>", "memory on each of those GPUs, such as 16GiB", memoryAmount)
    .option(
      "--label <name=value>",
      "only workers with this label, such as gpu=a100 (may be repeated)",
      gatherLabels,
    )
    .option("--min-time <duration>", "only workers that are there for at least so long", span)
    .option("--time-limit <duration>", "how long each may run; then it is ended, which is a failure", span)
    .option("--priority <n>", "higher goes first; 0 unless told", priorityNumber)
    .option("--retries <n>", "how often each is tried again, for each kind of failure", wholeNumber(0, 1_000))
    .option("--env <name[=value]>", "pass on the worker's variable, or set one (may be repeated)", gather)
    .option("--folder <folder>", "where the command runs on the workers", ".")
    .option("--name <name>", "what the tasks are called after; by default the program")
    .addOption(outputOption())
    .action((command: readonly string[], options: SubmitVerbOptions) => submit(command, options, context));
}

async function submit(
  command: readonly string[],
  options: SubmitVerbOptions,
  { terminal }: CliContext,
): Promise<void> {
  const { array, env, folder } = options;
  const submitted = await withClient(options, terminal, async (client) => {
    const handle = await client.submit({
      name: options.name ?? nameOf(command[0] ?? ""),
      evaluator: {
        kind: "command",
        command: command.map(asTemplate),
        folder: resolve(folder),
        result: "exit_code",
        ...(env === undefined ? {} : { env }),
        ...(array === undefined ? {} : { array: true }),
      },
      inputs: array === undefined ? [{}] : indices(array),
      ...requirementsOf(options),
      // Nobody reads them here.
      onOutcomes: () => {},
    });
    return { tasks: await handle.submitted, groups: handle.groups };
  });
  const { tasks, groups } = submitted;
  printAnswer(terminal, options.output, {
    json: submitted,
    table: () =>
      `${tasks} ${tasks === 1 ? "task is" : "tasks are"} submitted as ${groups.join(" ")}\n` +
      `espalier wait ${groups.join(" ")}`,
    quiet: () => groups.join("\n"),
  });
}

/** What the tasks need, and how they are treated. */
function requirementsOf(options: SubmitVerbOptions): Partial<SubmitOptions> {
  const { cpus, memory, gpus, gpuMemory, label, minTime, timeLimit, priority, retries } = options;
  if (gpuMemory !== undefined && (gpus ?? 0) === 0) {
    throw new UsageError("--gpu-memory needs --gpus: say how many, or which share of one");
  }
  return {
    resources: {
      ...(cpus === undefined ? {} : { cpus }),
      ...(memory === undefined ? {} : { memoryBytes: memory }),
      ...(gpus === undefined ? {} : { gpus }),
      ...(gpuMemory === undefined ? {} : { gpuMemoryBytes: gpuMemory }),
      ...(label === undefined ? {} : { labels: label }),
    },
    ...(minTime === undefined ? {} : { minTimeMs: minTime }),
    ...(timeLimit === undefined ? {} : { deadlineMs: timeLimit }),
    ...(priority === undefined ? {} : { priority }),
    ...(retries === undefined ? {} : { retry: { limit: retries, crashLimit: retries } }),
  };
}

/** An argument is what it is: no brace of it stands for a value. */
function asTemplate(word: string): string {
  return word.replaceAll("{", "{{").replaceAll("}", "}}");
}

/** The program's name, where it can be one of tasks. */
function nameOf(program: string): string {
  const name = basename(program).replaceAll(/[^A-Za-z0-9_-]/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(
    0,
    64,
  );
  if (name === "") throw new Failure(`no name can be made of "${program}": give one with --name`);
  return name;
}

function* indices({ first, last }: ArrayRange): Generator<number> {
  for (let index = first; index <= last; index += 1) yield index;
}

function arrayRange(text: string): ArrayRange {
  const [, from = "", to = ""] = /^(\d{1,9})-(\d{1,9})$/.exec(text) ?? [];
  const first = Number(from), last = Number(to);
  if (from === "" || last < first || last - first >= ARRAY_TASKS_MAX) {
    throw new InvalidArgumentError(
      `Expected the first and the last index, such as 1-100; at most ${ARRAY_TASKS_MAX} tasks.`,
    );
  }
  return { first, last };
}

/** Whole ones, or a share of one. */
function gpuAmount(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text.trim()) || value > DEVICES_MAX || (value > 1 && !Number.isInteger(value))) {
    throw new InvalidArgumentError(
      "Expected a whole number of GPUs, or a share of one below 1, such as 0.5.",
    );
  }
  return value;
}

function priorityNumber(text: string): number {
  const value = Number(text);
  if (!/^-?\d{1,7}$/.test(text.trim()) || Math.abs(value) > PRIORITY_MAX) {
    throw new InvalidArgumentError(`Expected a whole number from -${PRIORITY_MAX} to ${PRIORITY_MAX}.`);
  }
  return value;
}
