import assert from "node:assert/strict";
import { join } from "node:path";
import type { WorkerOptions } from "../../../client/cli/roles.ts";
import { runAlone } from "./fake_terminal.ts";

const TOKENS = JSON.stringify({ admin: "a", submit: "s", worker: "w", view: "v" });

/** A worker's own folder and a master's. */
async function inFolders(look: (own: string, masters: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const masters = join(folder, "master");
  try {
    await Deno.mkdir(masters);
    await Deno.writeTextFile(
      join(masters, "master.json"),
      JSON.stringify({ url: "http://127.0.0.1:1", pid: 1 }),
    );
    await Deno.writeTextFile(join(masters, "tokens.json"), TOKENS);
    await look(join(folder, "own"), masters);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** With what a command line starts a worker. */
async function started(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const all: WorkerOptions[] = [];
  const result = await runAlone(["worker", ...args], environment, {
    startWorker: (options) => {
      all.push(options);
      return { stopped: Promise.resolve(0), stop: () => {} };
    },
  });
  assert.equal(result.code, 0, result.notes);
  const [options] = all;
  assert.ok(options !== undefined);
  const { masters, token, dataFolder } = options;
  return { masters, token, dataFolder };
}

Deno.test("a worker with a folder of its own goes to the master that a variable names", () =>
  inFolders(async (own) => {
    const environment = { ESPALIER_MASTER: "http://127.0.0.1:4471", ESPALIER_TOKEN: "t" };
    assert.deepEqual(await started(["--data", own], environment), {
      masters: ["ws://127.0.0.1:4471/socket"],
      token: "t",
      dataFolder: own,
    });
  }));

Deno.test("a worker's flag goes before the variable, and both before a master's folder", () =>
  inFolders(async (own, masters) => {
    const environment = { ESPALIER_MASTER: "127.0.0.1:1", ESPALIER_DATA: masters };
    const flag = await started(["--master", "127.0.0.2:2", "--data", own], environment);
    assert.deepEqual(flag, { masters: ["ws://127.0.0.2:2/socket"], token: "w", dataFolder: own });
    assert.deepEqual((await started(["--data", masters], environment)).masters, ["ws://127.0.0.1:1/socket"]);
  }));

Deno.test("without an address a worker finds the master of ESPALIER_DATA, whatever its own folder is", () =>
  inFolders(async (own, masters) => {
    assert.deepEqual(await started(["--data", own], { ESPALIER_DATA: masters }), {
      masters: ["ws://127.0.0.1:1/socket"],
      token: "w",
      dataFolder: own,
    });
  }));

Deno.test("a worker that is given a master's folder takes one of its own in there", () =>
  inFolders(async (_own, masters) => {
    const { masters: found, dataFolder } = await started(["--data", masters], {});
    assert.deepEqual(found, ["ws://127.0.0.1:1/socket"]);
    assert.equal(dataFolder, join(masters, "worker"));
  }));

Deno.test("the help of worker says whose folder --data is", async () => {
  assert.match((await runAlone(["worker", "--help"])).out, /--data <folder> +a folder of this worker's own/);
});
