/**
 * Watching an experiment to its end.
 *
 * @module
 */
import type { ExperimentState, ExperimentSummary } from "../../shared/model/experiment.ts";
import { isRecord } from "../../shared/space/problem.ts";
import type { Client, ExperimentHandle, LiveEntry } from "../mod.ts";
import { EXIT } from "./failure.ts";
import { ProgressDisplay } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** The reason that the master gives where nobody but a user paused an experiment: then someone will resume it. */
const PAUSED_BY_USER = "a user paused it";

/** Notices an experiment that paused by itself. */
export class PauseWatch {
  readonly #paused = Promise.withResolvers<string>();

  /** Told of each state. */
  onState(state: ExperimentState, reason: string): void {
    if (state === "paused" && reason !== PAUSED_BY_USER) this.#paused.resolve(reason);
  }

  /** Fulfilled with the reason once it has paused by itself. */
  get paused(): Promise<string> {
    return this.#paused.promise;
  }
}

/**
 * Shows progress until the experiment is over, or paused because its trials fail.
 *
 * @param pauses is told by the handle's callbacks
 */
export async function watchExperiment(
  client: Client,
  handle: ExperimentHandle,
  pauses: PauseWatch,
  terminal: Terminal,
): Promise<ExperimentSummary> {
  const display = new ProgressDisplay(terminal);
  const stop = client.live((entries) => {
    const summary = entries.map((entry) => summaryIn(entry, handle.id)).findLast((each) =>
      each !== undefined
    );
    if (summary !== undefined) display.update(summary, Date.now());
  });
  try {
    const now = await handle.show();
    pauses.onState(now.state, now.reason);
    const over = handle.wait();
    // Where it pauses first, nobody waits for the end any more; that must not count as unhandled.
    over.catch(() => {});
    const paused = pauses.paused.then(() => handle.show());
    return await Promise.race([over, paused]);
  } finally {
    stop();
    handle.close();
  }
}

/** What the process ends with. */
export function exitCodeOf({ state, best }: ExperimentSummary): number {
  return state === "completed" && best !== null ? EXIT.success : EXIT.failure;
}

/** Why an experiment is not completed; undefined where it is. @param howToResume what to do where it is paused */
export function whyNotCompleted(
  { experiment, state, reason }: ExperimentSummary,
  howToResume = `when it is mended: espalier resume ${experiment}`,
): string | undefined {
  if (state === "completed") return undefined;
  const because = reason === "" ? "" : `: ${reason}`;
  return `${experiment} is ${state}${because}${state === "paused" ? `; ${howToResume}` : ""}`;
}

function summaryIn({ topic, key, value }: LiveEntry, id: string): ExperimentSummary | undefined {
  return topic === "experiment" && key === id && isSummary(value) ? value : undefined;
}

function isSummary(value: unknown): value is ExperimentSummary {
  return isRecord(value) && isRecord(value["trials"]) && typeof value["state"] === "string";
}
