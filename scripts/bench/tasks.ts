/**
 * Plain tasks through real processes: throughput, round trip, efficiency. Every submission and result is durable, and
 * outcomes are read through the client's `log` subscription.
 *
 * @module
 */
import { median, startFleet } from "./fleet.ts";
import type { Figure } from "./kernel.ts";
import { bareRoundTripMs, bareTasksPerSecond } from "./bare.ts";

const ROUNDS = 5;
/** Long enough that a round lasts over a second at the goal. */
const TASKS = 100_000;
const ROUND_TRIPS = 1_000;
const PAYLOAD_BYTES = 300;

/** Empty tasks a second: 4 worker processes of 4 slots. */
export async function emptyTasks(name: string, prefetchMax?: number): Promise<Figure> {
  const fleet = await startFleet({
    workers: 4,
    slots: 4,
    ...(prefetchMax === undefined ? {} : { prefetchMax }),
  });
  try {
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const payload = new Uint8Array(PAYLOAD_BYTES);
      const startedMs = performance.now();
      const handle = await fleet.client.submit({
        name: "empty",
        evaluator: { kind: "builtin", name: "noop" },
        payloads: Array.from({ length: TASKS }, () => payload),
        onOutcomes: () => {},
      });
      const counts = await handle.wait();
      rates.push(TASKS / (performance.now() - startedMs) * 1_000);
      if (counts.completed !== TASKS) throw new Error(`${counts.completed} of ${TASKS} tasks completed`);
      let stored = 0;
      for (const group of handle.groups) stored += (await fleet.client.counts(group)).completed;
      if (stored !== TASKS) throw new Error(`the store has ${stored} outcomes of ${TASKS} tasks`);
    }
    return {
      name,
      value: Math.round(median(rates)),
      unit: "tasks/s",
      limit: Math.round(bareTasksPerSecond(TASKS, PAYLOAD_BYTES)),
      detail: `median of ${ROUNDS} rounds of ${TASKS} tasks (${rates.map(Math.round).join(", ")}), ` +
        `${PAYLOAD_BYTES}-byte payloads, 4 worker processes of 4 slots; limit: their rows in bare SQLite, one thread`,
    };
  } finally {
    await fleet.stop();
  }
}

/** One task alone, from its submission to its outcome at the client. */
export async function roundTrip(): Promise<readonly Figure[]> {
  const fleet = await startFleet({ workers: 1, slots: 1 });
  try {
    const times: number[] = [];
    for (let i = 0; i < ROUND_TRIPS + 100; i++) {
      const startedMs = performance.now();
      const handle = await fleet.client.submit({
        name: "trip",
        evaluator: { kind: "builtin", name: "noop" },
        inputs: [{}],
      });
      await handle.wait();
      if (i >= 100) times.push(performance.now() - startedMs);
    }
    times.sort((a, b) => a - b);
    const limit = await bareRoundTripMs(ROUND_TRIPS);
    const detail = `${ROUND_TRIPS} tasks one after another, submission and result durable; ` +
      "limit: two WebSocket round trips and two one-row commits";
    return [
      {
        name: "round_trip_median_ms",
        value: round(median(times)),
        unit: "ms",
        limit: round(limit.medianMs),
        detail,
      },
      {
        name: "round_trip_p99_ms",
        value: round(times[Math.floor(times.length * 0.99)] ?? NaN),
        unit: "ms",
        limit: round(limit.p99Ms),
        detail,
      },
    ];
  } finally {
    await fleet.stop();
  }
}

/** 2,000 tasks of 100 ms on 50 slots: the ideal time by the measured one. */
export async function efficiency(name: string, workers: number, slots: number): Promise<Figure> {
  const fleet = await startFleet({ workers, slots });
  try {
    const shares: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const startedMs = performance.now();
      const handle = await fleet.client.submit({
        name: "sleep",
        evaluator: { kind: "builtin", name: "sleep" },
        inputs: Array.from({ length: 2_000 }, () => ({ ms: 100 })),
      });
      await handle.wait();
      shares.push(2_000 * 100 / (workers * slots) / (performance.now() - startedMs));
    }
    return {
      name,
      value: round(median(shares)),
      unit: "of ideal",
      limit: 1,
      detail: `median of ${ROUNDS} (${shares.map(round).join(", ")}), ${workers} workers of ${slots} slots`,
    };
  } finally {
    await fleet.stop();
  }
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
