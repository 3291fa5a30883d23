/**
 * What a master says of its own readiness.
 *
 * @module
 */
import { equal } from "node:assert/strict";

/** Asks `/ready` until it says so. @returns the reasons that it gives */
export async function untilReady(url: string, wanted: boolean): Promise<string> {
  for (;;) {
    const response = await fetch(`${url}/ready`);
    const { ready, reasons } = await response.json();
    equal(response.status, ready ? 200 : 503);
    if (ready === wanted) return reasons.join("; ");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
