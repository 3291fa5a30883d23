/**
 * Queues that one submitter floods, tasks that fit nowhere, and masters that stop while submitters wait.
 *
 * @module
 */
import { equal, match, ok } from "node:assert/strict";
import { withFleet } from "./fleet/fleet.ts";
import { assertAllCompleted } from "./fleet/ledger.ts";
import { sleepSearch } from "./fleet/specs.ts";

const FLOOD_TASKS = 4_000;
const SMALL_TASKS = 10;
const TRIALS = 10;
const TASK_MS = 10;
const GPUS = { resources: { gpus: 4 } };

function sleeps(name: string, count: number, ms = TASK_MS) {
  return {
    name,
    evaluator: { kind: "builtin", name: "sleep" } as const,
    inputs: Array.from({ length: count }, () => ({ ms })),
  };
}

withFleet("one who floods the queue keeps neither another's tasks nor a search waiting", async (fleet) => {
  await fleet.master();
  const [one, other] = [await fleet.client(), await fleet.client()];
  const flood = await one.submit(sleeps("flood", FLOOD_TASKS));
  equal(await flood.submitted, FLOOD_TASKS);
  fleet.worker("w1", { slots: 2 });
  let ended = 0;
  const flooding = (async () => {
    for await (const batch of flood.batches()) ended += batch.length;
  })();
  // Cancelled at its end, or the connection is closed first.
  flooding.catch(() => {});
  const small = await other.submit(sleeps("small", SMALL_TASKS));
  equal((await small.wait()).completed, SMALL_TASKS);
  const search = await other.run(sleepSearch("beside", TRIALS, TASK_MS));
  equal((await search.wait()).trials.completed, TRIALS);
  // In turns, the others had about as many as these; in the order of their coming, all of the flood was first.
  ok(ended < FLOOD_TASKS / 2, `${ended} of the flood went before`);
  await flood.cancel();
  await flooding;
});

withFleet(
  "what fits nowhere is explained by what each worker lacks, for a task and for a search",
  async (fleet) => {
    await fleet.master();
    const client = await fleet.client();
    const waiting = await client.submit({ ...sleeps("large", 1), ...GPUS });
    await waiting.submitted;
    const task = `${waiting.groups[0]}/1`;
    match(
      (await client.explain(task)).explanation,
      /^no worker is connected; start one with: espalier worker/,
    );
    fleet.worker("w1");
    while ((await client.workers()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const [worker] = await client.workers();
    const gpus = worker?.vitals?.gpus.length ?? 0;
    const says = new RegExp(`^needs 4 gpus; ${worker?.id} has ${gpus}$`);
    match((await client.explain(task)).explanation, says);
    const search = await client.run({ ...sleepSearch("gpus", TRIALS, TASK_MS), ...GPUS });
    match((await client.explain(`${search.id}/1`)).explanation, /has not proposed it: needs 4 gpus; /);
    for (let reason = ""; !says.test(reason); reason = (await search.show()).reason) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    equal((await search.show()).state, "running");
  },
);

withFleet(
  "a master that stops while submitters wait: each submission is carried out once when it is back",
  async (fleet) => {
    const master = await fleet.master();
    const clients = await Promise.all([1, 2, 3].map(() => fleet.client()));
    fleet.worker("w1", { slots: 2 });
    const before = await Promise.all(
      clients.map((client, index) => client.submit(sleeps(`before${index}`, 50))),
    );
    master.signal("SIGTERM");
    const meanwhile = clients.map((client, index) => client.submit(sleeps(`meanwhile${index}`, 50, 1)));
    equal(await master.ended(), 0);
    const again = await fleet.master();
    const after = await Promise.all(meanwhile);
    for (const submission of [...before, ...after]) equal((await submission.wait()).completed, 50);
    await again.kill();
    assertAllCompleted(fleet.data, 300);
  },
);
