/**
 * Which assignments are answered at once, because nothing that this worker waits for would let them begin.
 *
 * @module
 */
import type { AttemptEnd } from "../shared/model/outcome.ts";
import type { Resources } from "../shared/model/resources.ts";
import type { Evaluator, TaskTemplate } from "../shared/model/task.ts";
import { evaluatorFailed } from "./attempt_end.ts";
import type { SlotDevices } from "./slots_devices.ts";
import type { Free } from "./slots_free.ts";

/** An answer, and what people should know of it. */
export interface Refusal {
  readonly end: AttemptEnd;
  readonly message?: string | undefined;
}

/** What a worker offers, as a whole. */
export interface Offered {
  readonly pool: Resources;
  readonly free: Free;
  /** Until when, by the context's clock, attempts may run. */
  readonly workUntilMs?: number | undefined;
}

const ELSEWHERE: Refusal = { end: { state: "returned" } };

/** Why a worker with these executors cannot run an evaluator of this kind. */
export function kindRefusal(
  kind: Evaluator["kind"],
  executors: ReadonlyMap<Evaluator["kind"], unknown>,
): Refusal | undefined {
  if (executors.has(kind)) return undefined;
  const kinds = [...executors.keys()].join(", ") || "none";
  return { end: evaluatorFailed(`this worker has no executor of kind ${kind}; it has: ${kinds}`, true) };
}

/**
 * Why a worker cannot meet what a task needs, now or later.
 *
 * @param given the ids of devices that the master chose; undefined where it chose none
 * @param nowMs by the context's clock
 */
export function needRefusal(
  template: Pick<TaskTemplate, "resources" | "minTimeMs">,
  given: readonly string[] | undefined,
  { pool, free, workUntilMs = Infinity }: Offered,
  nowMs: number,
): Refusal | undefined {
  const { resources: need, minTimeMs = 0 } = template;
  if (!free.canEver(need)) {
    const message = `the task needs ${JSON.stringify(need)}; this worker has ${JSON.stringify(pool)}`;
    return { end: evaluatorFailed(message, false) };
  }
  if (nowMs + minTimeMs > workUntilMs) return ELSEWHERE;
  return given === undefined ? undefined : devicesRefusal(given, need, free.devices);
}

/** Why a lease with this need cannot have the devices that the master gave it. */
export function devicesRefusal(
  given: readonly string[],
  need: Resources,
  devices: SlotDevices,
): Refusal | undefined {
  const refused = devices.refusal(given, need);
  if (refused === undefined) return undefined;
  const { why, message } = refused;
  return why === "mistake" ? { end: evaluatorFailed(message, false) } : { ...ELSEWHERE, message };
}
