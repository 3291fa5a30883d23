/**
 * Waiting for what was selected: experiments, groups of plain tasks, some of their tasks.
 *
 * @module
 */
import type { Client, Counts } from "../mod.ts";
import type { AskOptions, CliContext } from "./context.ts";
import { EXIT } from "./failure.ts";
import { printAnswer } from "./output.ts";
import { isExperiment, numbersOf, selected, type Selection } from "./selection.ts";

/** Waits for groups, for some of their tasks, and for experiments; a task that failed makes it a failure. */
export async function waitForSelections(
  client: Client,
  texts: readonly string[],
  { output }: AskOptions,
  context: CliContext,
): Promise<void> {
  const selections = await selected(client, texts);
  const all = await Promise.all(selections.map((each) => waitForOne(client, each)));
  const sum = (key: "submitted" | "completed" | "failed" | "cancelled" | "pruned") =>
    all.reduce((total, { counts }) => total + counts[key], 0);
  const [submitted, completed, failed, cancelled] = [
    sum("submitted"),
    sum("completed"),
    sum("failed"),
    sum("cancelled"),
  ];
  const groups = selections.map(selectionWords);
  printAnswer(context.terminal, output, {
    json: { groups, submitted, completed, failed, cancelled },
    table: () => `${groups.join(" ")}: ${completed} completed, ${failed} failed, ${cancelled} cancelled`,
    quiet: () => "",
  });
  if (all.every(({ isWell }) => isWell)) return;
  if (failed > 0) context.terminal.note(`${failed} of ${submitted} tasks failed`);
  context.exitCode = EXIT.failure;
}

/** How what was selected ended. */
async function waitForOne(
  client: Client,
  { group, tasks }: Selection,
): Promise<{ readonly counts: Counts; readonly isWell: boolean }> {
  if (tasks === undefined && await isExperiment(client, group)) {
    const { state } = await (await client.experiment(group)).wait();
    return { counts: await client.counts(group), isWell: state === "completed" };
  }
  const counts = tasks === undefined
    ? await client.waitForGroup(group)
    : await client.waitForTasks(group, numbersOf(tasks));
  return { counts, isWell: counts.completed === counts.submitted };
}

function selectionWords({ group, tasks }: Selection): string {
  if (tasks === undefined) return group;
  return tasks.first === tasks.last ? `${group}/${tasks.first}` : `${group}/${tasks.first}-${tasks.last}`;
}
