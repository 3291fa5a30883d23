/**
 * Executions, counted from what workers said.
 *
 * @module
 */
import type { Member, Word } from "./member.ts";

/** How often attempts of each task were started, on any of these workers. */
export function startsByTask(workers: readonly Member[]): Map<string, number> {
  return counted(workers, ({ started }) => started);
}

/** How often attempts of each task came to their end by themselves. */
export function completionsByTask(workers: readonly Member[]): Map<string, number> {
  return counted(workers, ({ ended, state }) => state === "completed" ? ended : undefined);
}

/** The tasks that a worker has started and not ended. */
export function runningOn(worker: Member): Set<string> {
  const running = new Set<string>();
  for (const { started, ended } of worker.words) {
    if (started !== undefined) running.add(started);
    if (ended !== undefined) running.delete(ended);
  }
  return running;
}

function counted(workers: readonly Member[], task: (word: Word) => string | undefined): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of workers.flatMap(({ words }) => words)) {
    const key = task(word);
    if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
