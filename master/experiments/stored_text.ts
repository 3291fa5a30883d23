/**
 * A spec as the store keeps it.
 *
 * @module
 */
import type { Spec } from "../../shared/protocol/spec.ts";
import { isRecord } from "../../shared/space/problem.ts";

/** As it was written, since it is checked again when it is read; with the objectives, which the store looks at. */
export function storedText(written: unknown, checked: Spec): string {
  return JSON.stringify(isRecord(written) ? { ...written, objectives: checked.objectives } : written);
}
