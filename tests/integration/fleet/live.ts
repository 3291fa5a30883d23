/**
 * What a page would see of a fleet, waited for.
 *
 * @module
 */
import type { Client, LiveEntry } from "../../../client/mod.ts";

/** Fulfilled once a worker is shown in this state. */
export function untilWorkerIs(client: Client, state: "connected" | "doubtful" | "gone"): Promise<void> {
  return untilShown(client, ({ topic, value }) => topic === "worker" && has(value, "state", state));
}

/** Fulfilled once a live value is shown for which this holds. */
export async function untilShown(client: Client, holds: (entry: LiveEntry) => boolean): Promise<void> {
  const shown = Promise.withResolvers<void>();
  const end = client.live((entries) => {
    if (entries.some(holds)) shown.resolve();
  });
  await shown.promise;
  end();
}

/** Whether a live value has this field. */
export function has(value: unknown, key: string, wanted: unknown): boolean {
  return typeof value === "object" && value !== null &&
    Object.entries(value).some(([name, field]) => name === key && field === wanted);
}
