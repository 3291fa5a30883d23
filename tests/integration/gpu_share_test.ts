/**
 * GPUs that are shared and given out whole, while workers are killed; and one that vanishes.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Client, SubmitOptions } from "../../client/mod.ts";
import { cli } from "./cli_process.ts";
import { type Fleet, withFleet } from "./fleet/fleet.ts";
import { assertAllCompleted } from "./fleet/ledger.ts";
import { audit } from "./gpu_books.ts";
import { uuidOf, withGpuWorkers } from "./gpu_worker.ts";

/** How many tasks ask for how much of a GPU. */
const ASKS = [[134, 1], [133, 0.5], [133, 0.25]] as const;
const TASKS = 400;
/** After so many outcomes a worker is killed. */
const KILLS = [60, 160, 260];

Deno.test("the audit finds a device that is given out twice", () => {
  deepEqual(audit("begin a GPU-w-0 0.5\nbegin b GPU-w-0 0.5\nend a\nbegin c GPU-w-0 0.5\n").wrongs, []);
  deepEqual(audit("begin a GPU-w-0 1\ndead w\nbegin b GPU-w-0 1\n").wrongs, []);
  equal(audit("begin a GPU-w-0 1\nbegin b GPU-w-0 0.25\n").wrongs.length, 1);
  equal(audit("begin a GPU-w-0 2\n").wrongs.length, 1);
  equal(audit("begin a  1\n").wrongs.length, 1);
});

withFleet(
  "400 tasks on shares of GPUs under kills: none is over-committed, each task completes once",
  async (fleet) => {
    const master = await fleet.master();
    const client = await fleet.client();
    const book = `${fleet.folder}/book`;
    await withGpuWorkers(fleet, ["w1", "w2"], 8, async (workers) => {
      await Promise.all(workers.map((worker) => worker.start()));
      const outcomes = new Counter();
      const submissions = await Promise.all(ASKS.map(([count, gpus]) =>
        client.submit({
          ...usersOf(book, count, gpus),
          onOutcomes: (batch) => outcomes.add(batch.length),
        })
      ));
      for (const [index, count] of KILLS.entries()) {
        await outcomes.reached(count);
        const victim = workers[index % workers.length];
        ok(victim !== undefined);
        await victim.kill();
        await Deno.writeTextFile(book, `dead ${victim.name}\n`, { append: true });
        await victim.start();
      }
      const counts = await Promise.all(submissions.map((submission) => submission.wait()));
      deepEqual(counts.map(({ completed }) => completed), ASKS.map(([count]) => count));
    });
    await master.kill();
    assertAllCompleted(fleet.data, TASKS);
    const { wrongs, begun, devices, mostAtOnce } = audit(await Deno.readTextFile(book));
    deepEqual(wrongs, []);
    ok(begun >= TASKS, `${begun} were begun`);
    equal(devices.size, 4);
    ok(mostAtOnce >= 2, `at most ${mostAtOnce} shared a device`);
  },
);

withFleet(
  "a GPU that vanishes is given to nobody, is said to be out of service, and comes back",
  async (fleet) => {
    await fleet.master();
    const client = await fleet.client();
    const book = `${fleet.folder}/book`;
    await withGpuWorkers(fleet, ["w1"], 4, async ([worker]) => {
      ok(worker !== undefined);
      await worker.start();
      await worker.has(0);
      equal(
        await untilTrouble(client, (trouble) => trouble !== null),
        "nvidia-smi does not list it any more",
      );
      match(
        (await workersVerb(fleet)).out,
        new RegExp(`${uuidOf("w1", 1)} is out of service: nvidia-smi does not list it any more`),
      );
      await (await client.submit(usersOf(book, 6, 1))).wait();
      await (await client.submit(usersOf(book, 6, 0.5))).wait();
      const { wrongs, devices } = audit(await Deno.readTextFile(book));
      deepEqual([wrongs, [...devices]], [[], [uuidOf("w1", 0)]]);
      const both = await client.submit(usersOf(book, 1, 2));
      const [group] = both.groups;
      match((await client.explain(`${group}/1`)).explanation, /out of service/);
      await worker.has(0, 1);
      equal((await both.wait()).completed, 1);
      equal(await untilTrouble(client, (trouble) => trouble === null), null);
    });
  },
);

/** Tasks that write into a book which devices they have, and use them for a moment. */
function usersOf(book: string, count: number, gpus: number): SubmitOptions {
  const line = 'me="$ESPALIER_EXPERIMENT/$ESPALIER_TRIAL/$ESPALIER_ATTEMPT"';
  const script =
    `${line}; echo "begin $me $CUDA_VISIBLE_DEVICES $1" >>"$2"; sleep 0.02; echo "end $me" >>"$2"`;
  return {
    name: `gpus-${gpus}`,
    evaluator: {
      kind: "command",
      command: ["sh", "-c", script, "-", String(gpus), book],
      result: "exit_code",
    },
    inputs: Array.from({ length: count }, () => ({})),
    resources: { gpus },
  };
}

/** What is wrong with the second GPU of the one worker, once this holds for it. */
async function untilTrouble(
  client: Client,
  holds: (trouble: string | null) => boolean,
): Promise<string | null> {
  const found = Promise.withResolvers<string | null>();
  const look = async () => {
    const trouble = (await client.workers()).flatMap(({ devices }) => devices)
      .find(({ id }) => id === uuidOf("w1", 1))?.trouble;
    if (trouble !== undefined && holds(trouble)) found.resolve(trouble);
  };
  const end = client.live(() => void look());
  await look();
  const trouble = await found.promise;
  end();
  return trouble;
}

function workersVerb(fleet: Fleet) {
  return cli("workers", "--data", fleet.data);
}

/** Counts what comes in pieces. */
class Counter {
  #count = 0;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  add(count: number): void {
    this.#count += count;
    this.#waiting = this.#waiting.filter((each) => {
      if (each.count <= this.#count) each.resolve();
      return each.count > this.#count;
    });
  }

  reached(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ count, resolve });
    this.add(0);
    return promise;
  }
}
