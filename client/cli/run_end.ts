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

/** What is known of an end beside the summary. */
export interface RunEnd {
  readonly summary: ExperimentSummary;
  /** Why it is completed without a result; see no_result.ts. */
  readonly noResult: string | undefined;
  /** Where given, the best architecture is drawn. */
  readonly space?: unknown;
  /** What to do where it is paused; by default, to resume it. */
  readonly howToResume?: string;
}

/** Prints how an experiment ended and sets the exit code. */
export function printEnd(
  { summary, noResult, space, howToResume }: RunEnd,
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
  const why = whyNotCompleted(summary, howToResume) ?? noResult;
  if (why !== undefined) context.terminal.note(why);
  context.exitCode = exitCodeOf(summary);
}
