/**
 * Names of things, branded so that one is never taken for another.
 *
 * @module
 */

declare const brand: unique symbol;
type Branded<B extends string> = string & { readonly [brand]: B };

/** `<group>/<number>`: the group is an experiment or a submission; the number is 1 for its first task. */
export type TaskId = Branded<"task">;
/** What tasks were submitted together: an experiment's id, or that of a submission of plain tasks. */
export type GroupId = Branded<"group">;
/** A worker's lasting name. */
export type WorkerId = Branded<"worker">;
/** One life of a worker process. */
export type Incarnation = Branded<"incarnation">;
/** `<store id>.<number>.<random mark>`: one life of `cluster` over a store. */
export type Epoch = Branded<"epoch">;
/** Made by the client; stored with the command's effect, so that a repeat is recognised. */
export type CommandId = Branded<"command">;

/** Letters, digits and `._-`, at most 80 characters, beginning with a letter or digit: safe in a path and a page. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/;
/** A task's id. */
export const TASK_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}\/[1-9][0-9]{0,8}$/;
/** An epoch. */
export const EPOCH_PATTERN = /^[0-9a-f]{32}\.[1-9][0-9]{0,9}\.[0-9a-f]{8}$/;

// The brands are given here, where the grammar stands, and in the codec.
/** Brands a group's id. */
export const groupId = (text: string): GroupId => text as GroupId;
/** Brands a worker's name. */
export const workerId = (text: string): WorkerId => text as WorkerId;
/** Brands an incarnation. */
export const incarnation = (text: string): Incarnation => text as Incarnation;
/** Brands a command's id. */
export const commandId = (text: string): CommandId => text as CommandId;

/** The id of task `number` of a group. */
export function taskId(group: GroupId, number: number): TaskId {
  return `${group}/${number}` as TaskId;
}

/** The group and the number in a task's id. */
export function taskParts(id: TaskId): { readonly group: GroupId; readonly number: number } {
  const slash = id.lastIndexOf("/");
  return { group: groupId(id.slice(0, slash)), number: Number(id.slice(slash + 1)) };
}

/** Puts an epoch together. @param storeId 32 hexadecimal digits; @param mark 8 of them, random */
export function epochOf(storeId: string, number: number, mark: string): Epoch {
  return `${storeId}.${number}.${mark}` as Epoch;
}

/** The store that an epoch belongs to. */
export function storeOf(epoch: Epoch): string {
  return epoch.slice(0, epoch.indexOf("."));
}
