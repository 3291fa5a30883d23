/**
 * The schedule: every fault that strikes and everything that is asked for, as numbered events.
 *
 * Promise: the numbers follow from the seed and the plan's rates; each event draws from a stream of its own number, so
 * that leaving others out changes neither its time nor what it draws.
 * Not here: what an event does (nemesis.ts, workload.ts), which can be left out (shrink.ts).
 *
 * @module
 */
import { seededRandom } from "../../shared/actor/random.ts";
import type { Calamity, FaultKind, Plan } from "./plan.ts";

/** What strikes once in a run. */
export type CalamityKind = "storeCopied" | "storeRestored" | "storeDeleted" | "secondMaster" | "longSleep";
/** What clients ask for. */
export type RequestKind = "submit" | "run" | "cancel" | "steer" | "question";
/** Everything that is scheduled. */
export type EventKind = FaultKind | CalamityKind | RequestKind;

/** One entry of the schedule. */
export interface ScheduledEvent {
  /** From 1, in the order of time. */
  readonly number: number;
  readonly atMs: number;
  readonly kind: EventKind;
}

/** An entry that did something, and what. */
export interface HappenedEvent extends ScheduledEvent {
  readonly words: string;
}

/** Requests come early enough that something still runs when the last faults strike. */
const REQUESTS_PART = 0.8;
/** A long sleep goes on over so much quiet time. */
export const LONG_SLEEP_MS = 4_200_000;

const REQUEST_KINDS: ReadonlySet<string> = new Set<RequestKind>([
  "submit",
  "run",
  "cancel",
  "steer",
  "question",
]);

/** Whether an event is a client's request and no fault. */
export function isRequest(kind: EventKind): kind is RequestKind {
  return REQUEST_KINDS.has(kind);
}

const CALAMITY_KINDS: ReadonlySet<string> = new Set<CalamityKind>([
  "storeCopied",
  "storeRestored",
  "storeDeleted",
  "secondMaster",
  "longSleep",
]);

/** Whether an event strikes once in a run. */
export function isCalamity(kind: EventKind): kind is CalamityKind {
  return CALAMITY_KINDS.has(kind);
}

/** Everything that will happen in a run. */
export function drawSchedule(seed: string, plan: Plan): readonly ScheduledEvent[] {
  const drawn = [...requests(seed, plan), ...faults(seed, plan), ...calamity(seed, plan)];
  return drawn.sort((one, other) => one.atMs - other.atMs).map((each, index) => ({
    number: index + 1,
    ...each,
  }));
}

type Drawn = Omit<ScheduledEvent, "number">;

function requests(seed: string, { workload, activeMs }: Plan): readonly Drawn[] {
  const random = seededRandom(seed, "schedule", "requests");
  const several = (kind: RequestKind, count: number) =>
    Array.from({ length: count }, () => ({ kind, atMs: random.next() * activeMs * REQUESTS_PART }));
  return [
    ...several("submit", workload.submissions),
    ...several("run", workload.experiments),
    ...several("cancel", workload.cancels),
    ...several("steer", workload.steering),
    ...several("question", workload.questions),
  ];
}

/** A Poisson process for each kind. */
function faults(seed: string, { rates, activeMs }: Plan): readonly Drawn[] {
  const drawn: Drawn[] = [];
  for (const [kind, rate] of Object.entries(rates)) {
    if (rate <= 0 || !isKind(kind, rates)) continue;
    const random = seededRandom(seed, "schedule", kind);
    const wait = () => -Math.log(1 - random.next()) * 60_000 / rate;
    for (let atMs = wait(); atMs < activeMs; atMs += wait()) drawn.push({ kind, atMs });
  }
  return drawn;
}

function isKind(kind: string, rates: Plan["rates"]): kind is FaultKind {
  return kind in rates;
}

function calamity(seed: string, plan: Plan): readonly Drawn[] {
  const random = seededRandom(seed, "schedule", "calamity");
  const at = (from: number, to: number) => (from + random.next() * (to - from)) * plan.activeMs;
  const drawn: Record<Calamity, () => readonly Drawn[]> = {
    none: () => [],
    store_deleted: () => [{ kind: "storeDeleted", atMs: at(0.2, 0.9) }],
    store_restored: () => [
      { kind: "storeCopied", atMs: at(0.1, 0.5) },
      { kind: "storeRestored", atMs: at(0.5, 0.9) },
    ],
    two_masters: () => [{ kind: "secondMaster", atMs: at(0.2, 0.9) }],
    long_sleep: () => [{ kind: "longSleep", atMs: at(0.2, 0.9) }],
  };
  return drawn[plan.calamity]();
}
