/**
 * What the page knows: the live values, and whether they are fresh.
 *
 * @module
 */
import { computed, signal } from "@preact/signals";
import { type ExperimentSummary, isOver } from "../../shared/model/experiment.ts";
import {
  type LiveTopic,
  type LiveValues,
  STATUS_KEY,
  TREE_KEY,
  type WorkerLive,
} from "../../shared/model/live.ts";
import type { LiveEntry } from "../../shared/protocol/client_envelopes.ts";
import { Pace } from "./pace.ts";

/** How the page stands with the master. */
export type Link =
  | { readonly state: "connecting" }
  | { readonly state: "connected" }
  /** It will try again by itself. */
  | { readonly state: "lost"; readonly retryAtMs: number; readonly why: string }
  /** Only a person can help. */
  | { readonly state: "refused"; readonly why: string; readonly advice: string };

export const link = signal<Link>({ state: "connecting" });
/** The page's clock, once a second. */
export const nowMs = signal(Date.now());

const entries = signal<ReadonlyMap<string, LiveEntry>>(new Map());
/** Whether a first snapshot has come. */
export const isLoaded = signal(false);
/** How fast each experiment goes. */
export const paces = new Map<string, Pace>();

/** Replaces everything: the beginning of a subscription. */
export function replaceAll(present: readonly LiveEntry[]): void {
  entries.value = new Map(present.map((entry) => [keyOf(entry), entry]));
  isLoaded.value = true;
  noticePaces(present);
}

/** Takes in what has changed. */
export function apply(changed: readonly LiveEntry[]): void {
  const next = new Map(entries.value);
  for (const entry of changed) {
    if (entry.value === null) next.delete(keyOf(entry));
    else next.set(keyOf(entry), entry);
  }
  entries.value = next;
  noticePaces(changed);
}

/** Those that go on first, then the newest. */
export const experiments = computed<readonly ExperimentSummary[]>(() =>
  valuesOf("experiment").sort((a, b) =>
    Number(isOver(a.state)) - Number(isOver(b.state)) || b.createdAtMs - a.createdAtMs
  )
);

/** By name, numbers in names counted. */
export const workers = computed<readonly WorkerLive[]>(() =>
  valuesOf("worker").sort((a, b) => a.id.localeCompare(b.id, "en", { numeric: true }))
);

export const tree = computed(() => valueOf("tree", TREE_KEY));
export const status = computed(() => valueOf("status", STATUS_KEY));

function noticePaces(changed: readonly LiveEntry[]): void {
  for (const { topic, key } of changed) {
    const summary = topic === "experiment" ? valueOf("experiment", key) : undefined;
    if (summary === undefined) continue;
    const pace = paces.get(key) ?? new Pace();
    pace.notice(summary, Date.now());
    paces.set(key, pace);
  }
}

function keyOf({ topic, key }: Pick<LiveEntry, "topic" | "key">): string {
  return `${topic} ${key}`;
}

function valueOf<T extends LiveTopic>(topic: T, key: string): LiveValues[T] | undefined {
  return typed<T>(entries.value.get(keyOf({ topic, key })));
}

function valuesOf<T extends LiveTopic>(topic: T): LiveValues[T][] {
  const values: LiveValues[T][] = [];
  for (const entry of entries.value.values()) {
    const value = entry.topic === topic ? typed<T>(entry) : undefined;
    if (value !== undefined) values.push(value);
  }
  return values;
}

/** The page comes from the master that sends the values: their types were checked where they were made. */
function typed<T extends LiveTopic>(entry: LiveEntry | undefined): LiveValues[T] | undefined {
  return entry?.value as LiveValues[T] | undefined;
}
