/**
 * Selections: what a verb is about, as people write it.
 *
 * `last` is the newest experiment, `all` are those that are not over, `GROUP/7` is one task of a group, `GROUP/1-10` are
 * ten of them.
 *
 * @module
 */
import { isOver } from "../../shared/model/experiment.ts";
import { NAME_PATTERN } from "../../shared/model/ids.ts";
import { type Client, CommandFailed } from "../mod.ts";
import { Failure, UsageError } from "./failure.ts";

/** Tasks of one range: each is asked about by itself. */
export const SELECTED_TASKS_MAX = 10_000;

/** Tasks of a group, or all of it. */
export interface Selection {
  /** An experiment's id, or that of a group. */
  readonly group: string;
  /** From one number to another, both included; undefined where all is meant. */
  readonly tasks: { readonly first: number; readonly last: number } | undefined;
}

/**
 * Reads selections, and puts the ids of experiments for `last` and `all`.
 *
 * @throws UsageError where one is none
 * @throws Failure where there is no experiment that it could mean
 */
export async function selected(
  client: Pick<Client, "show" | "experiments">,
  texts: readonly string[],
): Promise<readonly Selection[]> {
  const found: Selection[] = [];
  for (const text of texts) {
    const { group, tasks } = parseSelection(text);
    if (text === "all") {
      const open = (await client.experiments()).filter(({ state }) => !isOver(state));
      if (open.length === 0) throw new Failure('no experiment is open, so there are none in "all"');
      for (const { experiment } of open) found.push({ group: experiment, tasks: undefined });
    } else found.push({ group: group === "last" ? (await client.show("last")).experiment : group, tasks });
  }
  return found;
}

/** One selection as it was written. @throws UsageError where it is none */
export function parseSelection(text: string): Selection {
  const [group = "", numbers, ...rest] = text.split("/");
  if (!NAME_PATTERN.test(group) || rest.length > 0) throw notOne(text);
  if (numbers === undefined || numbers === "all") return { group, tasks: undefined };
  const [, from, to = from] = /^([1-9]\d{0,8})(?:-([1-9]\d{0,8}))?$/.exec(numbers) ?? [];
  if (from === undefined || Number(to) < Number(from)) throw notOne(text);
  if (Number(to) - Number(from) >= SELECTED_TASKS_MAX) {
    throw new UsageError(
      `${text} has more than ${SELECTED_TASKS_MAX} tasks: select fewer, or the whole group`,
    );
  }
  return { group, tasks: { first: Number(from), last: Number(to) } };
}

/**
 * One task, with the newest experiment's id for `last`.
 *
 * @throws UsageError where it is none
 */
export async function selectedTask(client: Pick<Client, "show">, text: string): Promise<string> {
  const { group, tasks } = parseSelection(text);
  if (tasks === undefined || tasks.first !== tasks.last) {
    throw new UsageError(`"${text}" is not one task: expected GROUP/7, or last/7`);
  }
  return `${group === "last" ? (await client.show("last")).experiment : group}/${tasks.first}`;
}

function notOne(text: string): UsageError {
  return new UsageError(`"${text}" selects nothing: expected GROUP, GROUP/7, GROUP/1-10, last or all`);
}

/** Whether an id is that of an experiment; groups of plain tasks are named beside them. */
export async function isExperiment(client: Client, id: string): Promise<boolean> {
  if (id === "last") return true;
  try {
    await client.show(id);
    return true;
  } catch (error) {
    if (!(error instanceof CommandFailed) || error.code !== "unknown_experiment") throw error;
    return await client.counts(id).then(() => false, () => true);
  }
}

/** The numbers of the tasks that were selected. */
export function numbersOf({ first, last }: NonNullable<Selection["tasks"]>): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
