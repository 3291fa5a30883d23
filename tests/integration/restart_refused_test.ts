/**
 * What cannot be started beside what runs, and why.
 *
 * @module
 */
import { equal, match } from "node:assert/strict";
import { command, type Fleet, withFleet } from "./fleet/fleet.ts";
import { untilWorkerIs } from "./fleet/live.ts";
import type { Member } from "./fleet/member.ts";

/** Why a process did not start. */
async function refusal(fleet: Fleet, member: Member): Promise<string> {
  const { refused = "" } = await member.until(({ refused }) => refused !== undefined);
  equal(await member.ended(), 1);
  // Whoever was there first is not disturbed.
  const client = await fleet.client();
  equal((await client.workers()).length, 1);
  return refused;
}

withFleet(
  "beside what runs nothing starts on the same folder or port, and says who is there",
  async (fleet) => {
    const master = await fleet.master();
    const worker = fleet.worker("w1");
    const client = await fleet.client();
    await untilWorkerIs(client, "connected");

    const sameFolder = fleet.start(command("master", fleet.masterRole({ port: 0 })));
    const folderRefusal = await refusal(fleet, sameFolder);
    match(folderRefusal, new RegExp(`data folder .* is in use by process ${master.pid} on `));
    match(folderRefusal, /stop it, or name another folder/);
    const { pid } = JSON.parse(await Deno.readTextFile(`${fleet.data}/master.json`));
    equal(pid, master.pid);

    const samePort = fleet.start(
      command("master", fleet.masterRole({ dataFolder: `${fleet.folder}/other` })),
    );
    const portRefusal = await refusal(fleet, samePort);
    match(portRefusal, new RegExp(`port ${fleet.port} of 127\\.0\\.0\\.1 is in use`));
    match(portRefusal, /choose another port/);

    const workerRefusal = await refusal(fleet, fleet.worker("w1"));
    match(workerRefusal, new RegExp(`held by the worker process ${worker.pid}`));
  },
);
