/**
 * `verify`: checks a run's store for the promises that were made about it, or says what waits in a worker's folder.
 *
 * Promise: exit code 0 means that nothing was found, 1 that a promise does not hold, 2 that nothing could be checked.
 *
 * @module
 */
import { resolve } from "node:path";
import { Argument, type Command } from "commander";
import type { CliContext } from "../context.ts";
import { EXIT, UsageError } from "../failure.ts";
import { type OutputForm, outputOption, printAnswer } from "../output.ts";
import type { VerifiedStore, VerifiedWorker } from "../roles.ts";
import { plain, table } from "../table.ts";

/** Adds the verb. */
export function addVerifyVerb(program: Command, context: CliContext): void {
  program.command("verify")
    .description("check a run's store for the promises made about it, and change nothing")
    .addArgument(
      new Argument("<folder>", "a master's data folder or a copy of its store; or a worker's folder"),
    )
    .addOption(outputOption())
    .action((folder: string, options: { readonly output: OutputForm }) =>
      verify(folder, options.output, context)
    );
}

function verify(folder: string, form: OutputForm, context: CliContext): void {
  const found = context.roles.verify(resolve(folder));
  switch (found.kind) {
    case "nothing":
      throw new UsageError(found.message);
    case "store":
      if (found.report.violations > 0) context.exitCode = EXIT.failure;
      return printAnswer(context.terminal, form, {
        json: { kind: found.kind, ...found.report },
        table: () => storeText(found.report),
        quiet: () => broken(found.report).map(({ name }) => name).join("\n"),
      });
    case "worker":
      return printAnswer(context.terminal, form, {
        json: { kind: found.kind, ...found.report },
        table: () => workerText(found.report),
        quiet: () => found.report.waiting.map(({ task }) => task).join("\n"),
      });
  }
}

function broken({ checks }: VerifiedStore): VerifiedStore["checks"] {
  return checks.filter(({ violations }) => violations > 0);
}

function storeText(report: VerifiedStore): string {
  const { file, storeId, schemaVersion, epochs, commits, tasks, outcomes, experiments } = report;
  return [
    `store ${storeId || "without a readable id"} in ${file}, schema ${schemaVersion}`,
    `${epochs} lives, ${commits} commits, ${experiments} experiments, ${tasks} tasks, ${outcomes} outcomes`,
    "",
    table(
      ["CHECK", "LOOKED", "FOUND", "PROMISE"],
      report.checks.map(({ name, looked, violations, promise }) => [
        name,
        String(looked),
        String(violations),
        promise,
      ]),
    ),
    ...broken(report).flatMap(violationLines),
    ...report.notChecked.map(({ what, why }) => `not checked: ${what}: ${plain(why)}`),
    "",
    report.violations === 0
      ? "nothing was found"
      : report.violations === 1
      ? "1 violation was found"
      : `${report.violations} violations were found`,
  ].join("\n");
}

function violationLines({ name, promise, violations, first }: VerifiedStore["checks"][number]): string[] {
  const more = violations - first.length;
  return [
    "",
    `${name}: ${promise}`,
    ...first.map(({ message, evidence }) => `  ${plain(message)}\n    ${plain(JSON.stringify(evidence))}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function workerText({ folder, worker, waiting, tornBytes, setAside }: VerifiedWorker): string {
  const torn = tornBytes === 0
    ? []
    : [`the journal ends in ${tornBytes} bytes that a crash left half written`];
  return [
    `worker ${worker} in ${folder}: ${waiting.length} results wait for a master's acknowledgement`,
    ...waiting.map(({ task, attempt, epoch, state, elapsedMs }) =>
      `  ${task}, attempt ${attempt} of epoch ${epoch}: ${state} after ${Math.round(elapsedMs)} ms`
    ),
    ...torn,
    ...setAside.map((name) => `set aside: ${plain(name)}`),
  ].join("\n");
}
