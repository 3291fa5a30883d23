/**
 * `submit`: a command as plain tasks, without a search; and what `wait` says of their groups.
 *
 * @module
 */
import { basename, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { type Client, type Counts } from "../../mod.ts";
import { gather } from "../arguments.ts";
import type { AskOptions, CliContext } from "../context.ts";
import { EXIT, Failure } from "../failure.ts";
import { outputOption, printAnswer } from "../output.ts";
import { withClient, withMasterOptions } from "../session.ts";

/** Tasks of one array. */
export const ARRAY_TASKS_MAX = 1_000_000;

interface SubmitVerbOptions extends AskOptions {
  readonly array?: ArrayRange;
  readonly cpus?: number;
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
    .option("--cpus <n>", "cores of each task; parts of one are allowed", cores)
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
  const { array, cpus, env, folder } = options;
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
      ...(cpus === undefined ? {} : { resources: { cpus } }),
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

/** Waits for groups of plain tasks; a task that failed makes it a failure. */
export async function waitForGroups(
  client: Client,
  groups: readonly string[],
  { output }: AskOptions,
  context: CliContext,
): Promise<void> {
  const all = await Promise.all(groups.map((group) => client.waitForGroup(group)));
  const sum = (key: "submitted" | "completed" | "failed" | "cancelled" | "pruned") =>
    all.reduce((total, counts: Counts) => total + counts[key], 0);
  const [submitted, completed, failed, cancelled] = [
    sum("submitted"),
    sum("completed"),
    sum("failed"),
    sum("cancelled"),
  ];
  printAnswer(context.terminal, output, {
    json: { groups, submitted, completed, failed, cancelled },
    table: () => `${groups.join(" ")}: ${completed} completed, ${failed} failed, ${cancelled} cancelled`,
    quiet: () => "",
  });
  if (completed === submitted) return;
  if (failed > 0) context.terminal.note(`${failed} of ${submitted} tasks failed`);
  context.exitCode = EXIT.failure;
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

function cores(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError("Expected a number of cores, such as 4 or 0.5.");
  }
  return value;
}
