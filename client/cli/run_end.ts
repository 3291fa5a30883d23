/**
 * What is printed at the end of a run.
 *
 * @module
 */
import type { ExperimentSummary } from "../../shared/model/experiment.ts";
import type { CliContext } from "./context.ts";
import { drawArchitecture } from "./architecture.ts";
import { type OutputForm, printAnswer } from "./output.ts";
import { summaryAnswer } from "./summary.ts";
import { exitCodeOf, whyNotCompleted } from "./watch.ts";

/**
 * Prints how an experiment ended and sets the exit code.
 *
 * @param space where given, the best architecture is drawn
 */
export function printEnd(
  summary: ExperimentSummary,
  space: unknown,
  output: OutputForm,
  context: CliContext,
): void {
  const answer = summaryAnswer(summary);
  printAnswer(context.terminal, output, {
    ...answer,
    table: () => {
      const drawing = summary.best === null ? undefined : drawArchitecture(space, summary.best.candidate);
      return [answer.table(), ...(drawing === undefined ? [] : ["", drawing])].join("\n");
    },
  });
  const why = whyNotCompleted(summary);
  if (why !== undefined) context.terminal.note(why);
  context.exitCode = exitCodeOf(summary);
}
