/**
 * `cancel`, `pause`, `resume`: an experiment that runs.
 *
 * @module
 */
import { Argument, type Command } from "commander";
import type { AskOptions, CliContext } from "../context.ts";
import { Failure } from "../failure.ts";
import { outputOption, printAnswer } from "../output.ts";
import { withClient, withMasterOptions } from "../session.ts";

const VERBS = [
  { kind: "cancel", description: "cancel an experiment, or one trial of it", done: "cancelled" },
  { kind: "pause", description: "propose no more trials; what runs is finished", done: "paused" },
  { kind: "resume", description: "let a paused experiment go on", done: "resumed" },
] as const;

/** Adds the verbs. */
export function addSteeringVerbs(program: Command, context: CliContext): void {
  for (const { kind, description, done } of VERBS) {
    const target = kind === "cancel" ? "an experiment's id, or <experiment>/<trial>" : "an experiment's id";
    withMasterOptions(program.command(kind))
      .description(description)
      .addArgument(new Argument("<experiment>", `${target}; "last" is the newest`))
      .addOption(outputOption())
      .action(async (target: string, options: AskOptions) => {
        const steered = await steer(kind, target, options, context);
        printAnswer(context.terminal, options.output, {
          json: { experiment: steered.experiment, trial: steered.trial, [done]: true },
          table: () => `${steered.name} is ${done}`,
          quiet: () => "",
        });
      });
  }
}

async function steer(
  kind: (typeof VERBS)[number]["kind"],
  target: string,
  options: AskOptions,
  { terminal }: CliContext,
): Promise<{ readonly experiment: string; readonly trial: number | null; readonly name: string }> {
  const slash = kind === "cancel" ? target.lastIndexOf("/") : -1;
  const named = slash < 0 ? target : target.slice(0, slash);
  const trial = slash < 0 ? null : Number(target.slice(slash + 1));
  return await withClient(options, terminal, async (client) => {
    // "last" is a word for people; commands that change something name what they change.
    const experiment = named === "last" ? (await client.show(named)).experiment : named;
    const name = trial === null ? experiment : `trial ${trial} of ${experiment}`;
    if (kind !== "cancel") await client[kind](experiment);
    else if (await client.cancel(experiment, trial) === 0) {
      throw new Failure(`nothing to cancel: ${name} has its outcome, or was never begun`);
    }
    return { experiment, trial, name };
  });
}
