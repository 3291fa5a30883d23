/**
 * `experiments`, `show`, `best`, `trials`: what was run, and what came of it.
 *
 * @module
 */
import { Argument, type Command } from "commander";
import type { TrialSummary } from "../../../shared/model/experiment.ts";
import { formatDuration } from "../../../shared/protocol/duration.ts";
import { wholeNumber } from "../arguments.ts";
import { architectureOf, drawArchitecture, spaceOf } from "../architecture.ts";
import type { AskOptions, CliContext } from "../context.ts";
import { Failure } from "../failure.ts";
import { outputOption, printAnswer } from "../output.ts";
import { withClient, withMasterOptions } from "../session.ts";
import { experimentsTable, summaryAnswer, summaryJson } from "../summary.ts";
import { formatMetrics, table } from "../table.ts";

/** Experiments that are listed unless told. */
const LISTED_DEFAULT = 50;

/** An experiment on the command line. */
export function experimentArgument(): Argument {
  return new Argument("[experiment]", "an experiment's id").default("last", "the newest");
}

/** Adds the verbs. */
export function addExperimentVerbs(program: Command, context: CliContext): void {
  const { terminal } = context;
  withMasterOptions(program.command("experiments"))
    .description("list experiments, the newest first")
    .option("--limit <n>", "how many", wholeNumber(1, 1_000), LISTED_DEFAULT)
    .addOption(outputOption())
    .action(async (options: AskOptions & { readonly limit: number }) => {
      const list = await withClient(
        options,
        terminal,
        (client) => client.experiments({ limit: options.limit }),
      );
      printAnswer(terminal, options.output, {
        json: list.map((each) => ({ ...summaryJson(each), name: each.name, createdAtMs: each.createdAtMs })),
        table: () => experimentsTable(list),
        quiet: () => list.map(({ experiment }) => experiment).join("\n"),
      });
    });
  withMasterOptions(program.command("show"))
    .description("show how an experiment stands")
    .addArgument(experimentArgument())
    .addOption(outputOption())
    .action(async (id: string, options: AskOptions) => {
      const summary = await withClient(options, terminal, (client) => client.show(id));
      printAnswer(terminal, options.output, summaryAnswer(summary));
    });
  withMasterOptions(program.command("best"))
    .description("show the best candidate, and its architecture where there is one")
    .addArgument(experimentArgument())
    .addOption(outputOption())
    .action((id: string, options: AskOptions) => best(id, options, context));
  withMasterOptions(program.command("trials"))
    .description("list the trials of an experiment")
    .addArgument(experimentArgument())
    .addOption(outputOption())
    .action(async (id: string, options: AskOptions) => {
      const trials = await withClient(options, terminal, (client) => Array.fromAsync(client.trials(id)));
      printAnswer(terminal, options.output, {
        json: trials,
        table: () => trialsTable(trials),
        quiet: () => trials.map(({ trial }) => trial).join("\n"),
      });
    });
}

async function best(id: string, options: AskOptions, { terminal }: CliContext): Promise<void> {
  const { summary, spec } = await withClient(options, terminal, (client) => client.details(id));
  const { best, experiment } = summary;
  if (best === null) throw new Failure(`${experiment} has no completed trial yet, so none is the best`);
  const space = spaceOf(spec);
  printAnswer(terminal, options.output, {
    json: { experiment, ...best, architecture: architectureOf(space, best.candidate) ?? null },
    table: () => describeBestTrial(experiment, best, space),
    quiet: () => JSON.stringify(best.candidate),
  });
}

/** The best trial with its candidate and, where there is one, its architecture. */
export function describeBestTrial(
  experiment: string,
  { trial, metrics, candidate }: {
    readonly trial: number;
    readonly metrics: Readonly<Record<string, number>>;
    readonly candidate: unknown;
  },
  space: unknown,
): string {
  const drawing = drawArchitecture(space, candidate);
  return [
    `trial ${trial} of ${experiment}: ${formatMetrics(metrics)}`,
    "",
    JSON.stringify(candidate, null, 2),
    ...(drawing === undefined ? [] : ["", drawing]),
  ].join("\n");
}

function trialsTable(trials: readonly TrialSummary[]): string {
  if (trials.length === 0) return "no trials yet";
  return table(
    ["TRIAL", "STATE", "ATTEMPTS", "TIME", "WORKER", "RESULT"],
    trials.map(({ trial, state, attempts, elapsedMs, worker, metrics, message }) => [
      String(trial),
      state,
      String(attempts),
      elapsedMs === null ? "-" : formatDuration(elapsedMs),
      worker ?? "-",
      metrics === null ? firstLine(message ?? "") : formatMetrics(metrics),
    ]),
  );
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
