/**
 * `espalier verify` on the folders of real runs.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readWorkerFolder } from "../../worker/verify/waiting_results.ts";
import { cli, cliJson, inFolder, writeSpec } from "./cli_process.ts";
import { runningOn } from "./fleet/executions.ts";
import { withFleet } from "./fleet/fleet.ts";
import { readLedger } from "./fleet/ledger.ts";
import { sleepSearch } from "./fleet/specs.ts";
import { assertVerified } from "./fleet/verified.ts";

Deno.test(
  "verify finds nothing wrong with a finished run, and says what it looked at",
  { timeout: 60_000 },
  () =>
    inFolder(async (folder) => {
      const spec = await writeSpec(folder, { trials: 6 });
      const data = `${folder}/data`;
      equal((await cli("run", spec, "--data", data, "--workers", "1", "--slots", "2")).code, 0);
      const { code, out } = await cli("verify", data);
      equal(code, 0);
      match(out, /^1 lives, \d+ commits, 1 experiments, 6 tasks, 6 outcomes$/m);
      match(out, /^search_replays +7 +0 /m);
      const { kind, violations } = Object(await cliJson("verify", `${data}/espalier.db`));
      deepEqual({ kind, violations }, { kind: "store", violations: 0 });
      match((await cli("verify", `${data}/workers/1`)).out, /0 results wait/);
      const nowhere = await cli("verify", `${folder}/nowhere`);
      equal(nowhere.code, 2);
      match(nowhere.notes, /nowhere is no data folder/);
    }),
);

withFleet("verify looks at a run in use and at one that was killed, and changes neither", async (fleet) => {
  const master = await fleet.master();
  const client = await fleet.client();
  const worker = fleet.worker("w1", { slots: 4 });
  const search = await client.run(sleepSearch("looked-at", 10_000, 5));
  let ended = 0;
  for await (const change of search.changes()) {
    if (change.kind === "ended") ended += 1;
    if (ended >= 200) break;
  }
  const inUse = assertVerified(fleet.data);
  ok(inUse.outcomes >= 200);
  await worker.until(() => runningOn(worker).size > 0);
  await master.kill();
  const before = names(fleet.data);
  const killed = assertVerified(fleet.data);
  ok(killed.outcomes >= inUse.outcomes);
  deepEqual(names(fleet.data), before);
  equal(killed.outcomes, readLedger(fleet.data).outcomes.length);
});

withFleet("of a worker whose master is gone verify says which results wait", async (fleet) => {
  const master = await fleet.master();
  const client = await fleet.client();
  const worker = fleet.worker("w1", { slots: 2 });
  await client.submit({
    name: "told-later",
    evaluator: { kind: "builtin", name: "sleep" },
    inputs: [{ ms: 1_500 }, { ms: 1_600 }],
  });
  await worker.until(() => runningOn(worker).size === 2);
  await master.kill();
  const folder = `${fleet.folder}/w1`;
  while (readWorkerFolder(folder)?.waiting.length !== 2) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await worker.kill();
  const { kind, waiting } = Object(await cliJson("verify", folder));
  equal(kind, "worker");
  deepEqual(
    waiting.map(({ task, attempt, state }: Record<string, unknown>) => `${task} ${attempt} ${state}`)
      .toSorted(),
    ["told-later.1/1 1 completed", "told-later.1/2 1 completed"],
  );
});

function names(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => `${name} ${Deno.statSync(`${folder}/${name}`).size}`)
    .toSorted();
}
