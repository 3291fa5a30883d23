import assert from "node:assert/strict";
import { completed } from "./fake_worker.ts";
import { Fleet } from "./fleet.ts";

Deno.test("of tasks that have ended nothing is left in the heap", () => {
  const fleet = new Fleet({ prefetchMax: 256 });
  const worker = fleet.join("w", { slots: 4 });
  fleet.submit(10_000);
  let ended = 0;
  while (ended < 10_000) {
    const leases = worker.leases.slice(ended);
    ended += leases.length;
    worker.says(...leases.map((lease) => completed(lease, 1)));
  }
  fleet.pass(2_000);
  const { core } = fleet;
  assert.deepEqual(
    {
      tasks: core.tasks.size,
      groups: core.groups.size,
      young: core.young.length,
      queued: [...core.queue].length,
      waiting: core.log.waiting,
      bytes: core.payloadBytes,
      names: core.books.size,
      attempts: [...core.workers.values()].reduce((sum, each) => sum + each.attempts.size, 0),
    },
    { tasks: 0, groups: 0, young: 0, queued: 0, waiting: 0, bytes: 0, names: 0, attempts: 0 },
  );
});
