/**
 * `cancel`, `pause`, `resume`: an experiment that runs; and tasks that were submitted.
 *
 * @module
 */
import { Argument, type Command } from "commander";
import type { Client } from "../../mod.ts";
import type { AskOptions, CliContext } from "../context.ts";
import { Failure } from "../failure.ts";
import { outputOption, printAnswer } from "../output.ts";
import { numbersOf, selected, type Selection } from "../selection.ts";
import { withClient, withMasterOptions } from "../session.ts";

const VERBS = [
  { kind: "pause", description: "propose no more trials; what runs is finished", done: "paused" },
  { kind: "resume", description: "let a paused experiment go on", done: "resumed" },
] as const;

/** Commands on their way at once. */
const CANCELLED_AT_ONCE = 64;

/** Adds the verbs. */
export function addSteeringVerbs(program: Command, context: CliContext): void {
  withMasterOptions(program.command("cancel"))
    .description("cancel experiments or submitted tasks, or some tasks of them")
    .addArgument(
      new Argument(
        "<selection...>",
        'ids of experiments or groups, with "/7" or "/1-10" for tasks of one; ' +
          '"last" is the newest experiment, "all" are those that are not over',
      ),
    )
    .addOption(outputOption())
    .action((texts: readonly string[], options: AskOptions) => cancel(texts, options, context));
  for (const { kind, description, done } of VERBS) {
    withMasterOptions(program.command(kind))
      .description(description)
      .addArgument(new Argument("<experiment>", `an experiment's id; "last" is the newest`))
      .addOption(outputOption())
      .action(async (target: string, options: AskOptions) => {
        const experiment = await withClient(options, context.terminal, async (client) => {
          // "last" is a word for people; commands that change something name what they change.
          const id = target === "last" ? (await client.show(target)).experiment : target;
          await client[kind](id);
          return id;
        });
        printAnswer(context.terminal, options.output, {
          json: { experiment, trial: null, [done]: true },
          table: () => `${experiment} is ${done}`,
          quiet: () => "",
        });
      });
  }
}

/** What became of one selection. */
interface Cancelled {
  readonly json: unknown;
  readonly words: string;
}

async function cancel(
  texts: readonly string[],
  options: AskOptions,
  { terminal }: CliContext,
): Promise<void> {
  const all = await withClient(options, terminal, async (client) => {
    const done: Cancelled[] = [];
    for (const each of await selected(client, texts)) done.push(await cancelOne(client, each));
    return done;
  });
  const [first] = all;
  printAnswer(terminal, options.output, {
    json: all.length === 1 ? first?.json : all.map(({ json }) => json),
    table: () => all.map(({ words }) => words).join("\n"),
    quiet: () => "",
  });
}

/** @throws Failure where there was nothing to cancel */
async function cancelOne(client: Client, { group, tasks }: Selection): Promise<Cancelled> {
  const isOne = tasks !== undefined && tasks.first === tasks.last;
  const name = tasks === undefined
    ? group
    : isOne
    ? `trial ${tasks.first} of ${group}`
    : `tasks ${tasks.first} to ${tasks.last} of ${group}`;
  const count = tasks === undefined
    ? await client.cancel(group)
    : await cancelNumbers(client, group, numbersOf(tasks));
  if (count === 0) throw new Failure(`nothing to cancel: ${name} has its outcome, or was never begun`);
  if (tasks === undefined || isOne) {
    const trial = tasks?.first ?? null;
    return { json: { experiment: group, trial, cancelled: true }, words: `${name} is cancelled` };
  }
  const { first, last } = tasks;
  return {
    json: { experiment: group, first, last, cancelled: count },
    words: `${count} of ${last - first + 1} tasks of ${group} are cancelled`,
  };
}

/** @returns how many had no outcome */
async function cancelNumbers(client: Client, group: string, numbers: readonly number[]): Promise<number> {
  let cancelled = 0;
  for (let first = 0; first < numbers.length; first += CANCELLED_AT_ONCE) {
    const some = numbers.slice(first, first + CANCELLED_AT_ONCE);
    const counts = await Promise.all(some.map((number) => client.cancel(group, number)));
    for (const count of counts) cancelled += count ?? 0;
  }
  return cancelled;
}
