/**
 * Workers whose connection to the master is bad in every way that a network has.
 *
 * What is allowed: a task is run again only where its attempt was doubtful and another worker had an idle slot. With
 * one worker nothing is run twice, whatever its connection does.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { Client } from "../../client/mod.ts";
import { runningOn, startsByTask } from "./fleet/executions.ts";
import { type Fleet, withFleet } from "./fleet/fleet.ts";
import { assertAllCompleted } from "./fleet/ledger.ts";
import { untilWorkerIs } from "./fleet/live.ts";
import { type Direction, type NetworkFault, Proxy } from "./fleet/proxy.ts";
import { assertVerified } from "./fleet/verified.ts";

/** Doubtful after 750 ms, left after 1.25 s, lost after 2 s. */
const SHORT = { heartbeatMs: 500, lostAfterMs: 2_000 };
const SEED = 4;
const SLOTS = 4;
const DIRECTIONS: readonly Direction[] = ["up", "down"];

/** Tasks that keep a worker busy, and how many of them have ended. */
async function busy(client: Client, count: number, ms: number) {
  let ended = 0;
  let told = () => {};
  const handle = await client.submit({
    name: "busy",
    evaluator: { kind: "builtin", name: "sleep" },
    inputs: Array.from({ length: count }, (_, index) => ({ ms: ms + index % 7 * 10 })),
    // However often it is lost: the network is to blame, and no task.
    retry: { limit: 1_000 },
    onOutcomes: (more) => {
      ended += more.length;
      told();
    },
  });
  const more = async (wanted: number) => {
    const until = Math.min(count, ended + wanted);
    while (ended < until) await new Promise<void>((resolve) => told = resolve);
  };
  return { handle, more };
}

/** One worker behind a proxy, through each of these faults while it works. */
function oneWorker(
  name: string,
  faults: readonly NetworkFault[],
  suffer: (
    fault: NetworkFault,
    proxy: Proxy,
    client: Client,
    more: (ended: number) => Promise<void>,
  ) => Promise<void>,
): void {
  withFleet(name, async (fleet) => {
    const master = await fleet.master(SHORT);
    const proxy = new Proxy(fleet.port, SEED);
    try {
      const client = await fleet.client();
      const worker = fleet.worker("w1", { slots: SLOTS, masters: [proxy.url] });
      const count = faults.length * 16 + 8;
      const { handle, more } = await busy(client, count, 150);
      for (const fault of faults) {
        await more(SLOTS);
        await worker.until(() => runningOn(worker).size > 0);
        await suffer(fault, proxy, client, more);
        await more(SLOTS);
      }
      equal((await handle.wait()).completed, count);
      const starts = startsByTask([worker]);
      equal(starts.size, count);
      deepEqual([...starts].filter(([, times]) => times !== 1), []);
      assertOnce(fleet, count);
      await worker.kill();
      await master.kill();
    } finally {
      await proxy.close();
    }
  });
}

function assertOnce(fleet: Fleet, tasks: number): void {
  assertAllCompleted(fleet.data, tasks);
  equal(assertVerified(fleet.data).outcomes, tasks);
}

oneWorker(
  "connections that drop, break in the midst of a frame or close by half have nothing run twice",
  [
    { type: "drop" },
    ...DIRECTIONS.map((direction) => ({ type: "truncate", direction } as const)),
    ...DIRECTIONS.map((direction) => ({ type: "half_close", direction } as const)),
    { type: "drop" },
  ],
  async (fault, proxy) => {
    const joined = proxy.joined();
    proxy.apply(fault);
    await joined;
  },
);

oneWorker(
  "connections that fall silent, in one direction or both, have nothing run twice when they are back",
  [
    ...DIRECTIONS.map((direction) => ({ type: "hold", direction } as const)),
    ...DIRECTIONS.map((direction) => ({ type: "one_way", direction } as const)),
    { type: "black_hole" },
  ],
  async (fault, proxy, client) => {
    const isDoubtful = untilWorkerIs(client, "doubtful");
    proxy.apply(fault);
    await isDoubtful;
    proxy.heal();
    await untilWorkerIs(client, "connected");
  },
);

oneWorker(
  "a connection that delivers everything late and in pieces has nothing run twice",
  [{ type: "delay", maxMs: 20 }],
  async (fault, proxy, _client, more) => {
    proxy.apply(fault);
    await more(SLOTS * 3);
    proxy.heal();
  },
);

withFleet(
  "of a worker in a black hole only what it ran is run elsewhere, and counted once",
  async (fleet) => {
    const master = await fleet.master(SHORT);
    const proxy = new Proxy(fleet.port, SEED);
    try {
      const client = await fleet.client();
      const cut = fleet.worker("w1", { slots: 2, masters: [proxy.url] });
      const other = fleet.worker("w2", { slots: 2 });
      const count = 24;
      const { handle, more } = await busy(client, count, 400);
      await more(4);
      await cut.until(() => runningOn(cut).size === 2);
      proxy.apply({ type: "black_hole" });
      await untilWorkerIs(client, "gone");
      const isolated = new Set(cut.words.flatMap(({ started }) => started ?? []));
      proxy.heal();
      equal((await handle.wait()).completed, count);
      const twice = [...startsByTask([cut, other])].filter(([, times]) => times > 1);
      ok(twice.length > 0, "nothing was given to another");
      for (const [task, times] of twice) {
        equal(times, 2, `${task} was started ${times} times`);
        ok(isolated.has(task), `${task} was run again, and its worker was never away`);
      }
      assertOnce(fleet, count);
      await master.kill();
    } finally {
      await proxy.close();
    }
  },
);
