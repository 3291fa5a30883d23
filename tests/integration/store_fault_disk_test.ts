/**
 * Disks that fill up under a master at work, and backups of one.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Client } from "../../client/mod.ts";
import { type Fleet, withFleet } from "./fleet/fleet.ts";
import { assertAllCompleted, readLedger } from "./fleet/ledger.ts";
import { IGNORE_FILE_LIMIT, limitFiles, mountSmallDisk, type SmallDisk } from "./fleet/small_disk.ts";
import { untilReady } from "./fleet/ready.ts";
import { sleepSearch } from "./fleet/specs.ts";

const TRIALS = 60;
/** Still at work when the disk has been noticed to be full, on a busy machine as well. */
const LONG_TRIALS = 160;
const TASKS = 200;
const TASK_BYTES = 15_000;

const NEEDS_ROOT = Deno.uid() === 0 ? "" : " (passed over: only root may mount a small disk)";

withFleet(
  `on a full disk acknowledgements stop, /ready says why, and room alone mends it${NEEDS_ROOT}`,
  async (fleet) => {
    const disk = await mountSmallDisk(fleet.data, "16m");
    if (disk === undefined) return console.log("passed over: this system lets nobody mount a small disk");
    try {
      await fleet.master();
      await workThroughFullDisk(fleet, disk);
    } finally {
      await fleet.stopAll();
      await disk.unmount();
    }
  },
  { ignore: Deno.uid() !== 0 },
);

withFleet("where files may not grow, acknowledgements stop until they may", async (fleet) => {
  const master = await fleet.master({}, IGNORE_FILE_LIMIT);
  await workThroughFullDisk(fleet, limitFiles(master.pid));
});

/** A search and plain tasks, before, while and after there is no room. */
async function workThroughFullDisk(fleet: Fleet, disk: SmallDisk): Promise<void> {
  const client = await fleet.client();
  fleet.worker("w1", { slots: 4 });
  const told = new Map<string, number>();
  const search = await client.run(sleepSearch("full", LONG_TRIALS, 60), {
    onTrial: ({ task }) => told.set(task, (told.get(task) ?? 0) + 1),
  });
  await trialsEnded(told, 8);
  await disk.fill();
  let isAnswered = false;
  const late = submitLarge(client).then((handle) => {
    isAnswered = true;
    return handle;
  });
  // Where something before its turn fails, that is what is told.
  late.catch(() => {});
  const reasons = await untilReady(fleet.url, false);
  match(reasons, /store cannot be relied on: .*(full|I\/O|space)/i);
  // Whether questions can be answered depends on the disk; they do not hang, and nothing that needs it is told.
  await client.show("last").then(
    ({ trials }) => ok(trials.completed < LONG_TRIALS),
    (error) => match(String(error), /the store could not answer/),
  );
  equal(isAnswered, false);
  // SQLite may still find room for small things in its own files: what was told is stored, that is what counts.
  const toldSoFar = [...told.keys()];
  const stored = new Set(readLedger(fleet.data).outcomes.map(({ task }) => task));
  for (const task of toldSoFar) ok(stored.has(task), `${task} was told and is not stored`);

  await disk.makeRoom();
  equal(await untilReady(fleet.url, true), "");
  const tasks = await late;
  equal((await tasks.wait()).completed, TASKS);
  equal((await search.wait()).trials.completed, LONG_TRIALS);
  assertAllCompleted(fleet.data, LONG_TRIALS + TASKS);
  deepEqual([...told.values()], Array(LONG_TRIALS).fill(1));
}

/** More than the store could put into the room that its own files have. */
function submitLarge(client: Client) {
  return client.submit({
    name: "late",
    evaluator: { kind: "builtin", name: "noop" },
    inputs: Array.from({ length: TASKS }, () => "x".repeat(TASK_BYTES)),
  });
}

withFleet(
  "a backup that is made while tasks run opens, and holds what was acknowledged before it",
  async (fleet) => {
    const master = await fleet.master();
    const client = await fleet.client();
    fleet.worker("w1", { slots: 4 });
    const told = new Map<string, number>();
    const search = await client.run(sleepSearch("copied", TRIALS, 60), {
      onTrial: ({ task }) => told.set(task, (told.get(task) ?? 0) + 1),
    });
    await trialsEnded(told, 10);
    const before = readLedger(fleet.data);
    const copy = `${fleet.folder}/copy`;
    await Deno.mkdir(copy);
    const { bytes } = await client.backup(`${copy}/espalier.db`);
    equal((await Deno.stat(`${copy}/espalier.db`)).size, bytes);
    const copied = readLedger(copy);
    deepEqual(copied.outcomes.slice(0, before.outcomes.length), before.outcomes);
    equal((await search.wait()).trials.completed, TRIALS);
    await master.kill();
    const after = assertAllCompleted(fleet.data, TRIALS);
    deepEqual(after.outcomes.slice(0, copied.outcomes.length), copied.outcomes);
    // A master opens it, and goes on where it stands.
    const restored = await fleet.master({ dataFolder: copy, port: 0 });
    await restored.kill();
    deepEqual(readLedger(copy).outcomes, copied.outcomes);
  },
);

/** So many trials have ended. */
async function trialsEnded(told: ReadonlyMap<string, number>, count: number): Promise<void> {
  while (told.size < count) await new Promise((resolve) => setTimeout(resolve, 10));
}
