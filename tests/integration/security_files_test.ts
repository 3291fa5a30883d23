/**
 * What lies on the disk is its owner's alone, whatever the folder was like before.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CliProcess, inFolder, writeSpec } from "./cli_process.ts";

/** Everything below a folder that others may read, write or enter. */
function openToOthers(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    const { mode } = Deno.lstatSync(path);
    const inner = isDirectory ? openToOthers(path) : [];
    return ((mode ?? 0) & 0o077) === 0 ? inner : [`${path} ${((mode ?? 0) & 0o777).toString(8)}`, ...inner];
  });
}

Deno.test("in folders that others may look into, everything that is made is its owner's alone", () =>
  inFolder(async (folder) => {
    const data = `${folder}/data`;
    const own = `${folder}/worker`;
    for (const path of [data, own]) {
      await Deno.mkdir(path);
      await Deno.chmod(path, 0o755);
    }
    const master = new CliProcess(["master", "--data", data, "--port", "0"]);
    await master.line(/^master +http/m);
    const [worker, local] = [
      new CliProcess([
        "worker",
        "--data",
        own,
        "--slots",
        "1",
        "--token-file",
        `${data}/tokens.json`,
        "--master",
        urlIn(data),
      ]),
      await writeSpec(folder, { trials: 2 }),
    ];
    await worker.line(/connected to the master/);
    const run = await new CliProcess(["run", local, "--data", data]).finished();
    assert.equal(run.code, 0, run.notes);
    const backup = await new CliProcess(["backup", `${data}/copy.db`, "--data", data]).finished();
    assert.equal(backup.code, 0, backup.notes);
    assert.deepEqual([...openToOthers(data), ...openToOthers(own)], []);
    await worker.stop();
    await master.stop();
    assert.deepEqual([...openToOthers(data), ...openToOthers(own)], []);
    const names = [...Deno.readDirSync(data)].map(({ name }) => name);
    for (const name of ["espalier.db", "tokens.json", "master.json", "copy.db"]) {
      assert.ok(names.includes(name), name);
    }
  }));

Deno.test("a whole local run leaves nothing that others may read", () =>
  inFolder(async (folder) => {
    const data = `${folder}/data`;
    const spec = await writeSpec(folder, { trials: 2 });
    const run = await new CliProcess(["run", spec, "--data", data, "--workers", "1", "--slots", "1"])
      .finished();
    assert.equal(run.code, 0, run.notes);
    assert.deepEqual(openToOthers(data), []);
    assert.ok(Deno.statSync(`${data}/workers/1.log`).isFile);
  }));

function urlIn(data: string): string {
  return JSON.parse(Deno.readTextFileSync(`${data}/master.json`)).url;
}
