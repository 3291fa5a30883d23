/**
 * Code that exists on the client's side alone: it travels to workers with folders of their own, and files come back.
 *
 * @module
 */
import assert from "node:assert/strict";
import { namesIn, writeTree } from "../unit/files/rig.ts";
import { cli, cliJson, CliProcess, inFolder } from "./cli_process.ts";

const LIMIT = { timeout: 120_000 };
const DIGITS = new URL("../../examples/digits/", import.meta.url).pathname;

/** A master, and what its clients and workers are told of it. */
interface Site {
  readonly folder: string;
  readonly client: readonly string[];
  worker(name: string): Promise<CliProcess>;
}

/** Workers run elsewhere: nothing can be found by a path from where they are. */
async function atSite(body: (site: Site) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const elsewhere = `${folder}/elsewhere`;
    await Deno.mkdir(elsewhere);
    const data = ["--data", `${folder}/master`];
    const master = new CliProcess(["master", ...data, "--port", "0"], { folder: elsewhere });
    const [, url = ""] = await master.line(/^master +(http:\/\/127\.0\.0\.1:\d+)$/m);
    const named = ["--master", url, "--token-file", `${folder}/master/tokens.json`];
    await body({
      folder,
      client: data,
      worker: async (name) => {
        const args = ["worker", ...named, "--data", `${folder}/${name}`, "--slots", "1"];
        const worker = new CliProcess(args, { folder: elsewhere });
        await worker.line(/connected to the master at ws:/);
        return worker;
      },
    });
    await master.stop();
  });
}

/** The packed code that a worker has, by the place on its disk. */
async function cached(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(`${folder}/code`)) {
    found.push(`${name} ${(await Deno.stat(`${folder}/code/${name}`)).ino}`);
  }
  return found;
}

Deno.test(
  "a spec whose folder is gone once it was submitted is run by workers that never saw it",
  LIMIT,
  () =>
    atSite(async ({ folder, client, worker }) => {
      const code = `${folder}/mine/digits`;
      await Deno.mkdir(code, { recursive: true });
      for await (const { name } of Deno.readDir(DIGITS)) {
        await Deno.copyFile(`${DIGITS}${name}`, `${code}/${name}`);
      }
      const started = await cli(
        "run",
        `${code}/experiment.yaml`,
        ...client,
        "--set",
        "budget.trials=2",
        "--set",
        "minWorkers=2",
        "--detach",
      );
      assert.equal(started.code, 0, started.notes);
      assert.match(started.notes, /\d+ files of .*digits \(\d+\.\d kB\) go to the workers/);
      await Deno.remove(code, { recursive: true });
      const workers = await Promise.all(["w1", "w2"].map(worker));
      const waited = await cli("wait", "digits-1", ...client, "--output", "json");
      assert.equal(waited.code, 0, waited.notes);
      const { trials, best } = JSON.parse(waited.out);
      assert.equal(trials.completed, 2);
      assert.ok(best.metrics.accuracy > 0.1);
      assert.equal((await cached(`${folder}/w1`)).length, 1);
      assert.equal((await cached(`${folder}/w2`)).length, 1);
      await Promise.all(workers.map((each) => each.stop()));
    }),
);

const SPEC = `name: words
space: { kind: parameters, parameters: { x: { type: real, min: 0, max: 1 } } }
evaluator: { kind: command, command: ./train.sh }
objectives: [{ metric: value }]
budget: { trials: 3 }
files: ["*.txt", "plots/**"]
`;
const TRAIN = `#!/bin/sh
. lib/value.sh
echo "hello" > "$ESPALIER_DIR/hello world.txt"
mkdir "$ESPALIER_DIR/plots"; echo '<svg/>' > "$ESPALIER_DIR/plots/loss.svg"; echo no > "$ESPALIER_DIR/no.log"
echo "scratch" > lib/value.sh
echo "{\\"value\\": $VALUE}" > "$ESPALIER_DIR/result.json"
`;

Deno.test(
  "code is fetched once, an edit is seen by the next run, and files come back",
  LIMIT,
  (t) =>
    atSite(async ({ folder, client, worker }) => {
      const code = `${folder}/mine`;
      await writeTree(code, { "words.yaml": SPEC, "train.sh": TRAIN, "lib/value.sh": "VALUE=1\n" });
      const running = await worker("w1");
      const bestOf = async () => {
        const { code: exit, out, notes } = await cli(
          "run",
          `${code}/words.yaml`,
          ...client,
          "--output",
          "json",
        );
        assert.equal(exit, 0, notes);
        return JSON.parse(out).best.metrics.value;
      };

      await t.step("a second run of the same code finds it unpacked", async () => {
        assert.equal(await bestOf(), 1);
        const before = await cached(`${folder}/w1`);
        assert.equal(before.length, 1);
        // Each attempt had a copy of its own: what one wrote, none of the others has read.
        assert.equal(await bestOf(), 1);
        assert.deepEqual(await cached(`${folder}/w1`), before);
        assert.deepEqual(await namesIn(`${folder}/w1/transfers`), []);
      });

      await t.step("an edit makes other code", async () => {
        await Deno.writeTextFile(`${code}/lib/value.sh`, "VALUE=2\n");
        assert.equal(await bestOf(), 2);
        assert.equal((await cached(`${folder}/w1`)).length, 2);
      });

      await t.step("the files that match are listed and fetched", async () => {
        const listed = await cliJson("artifacts", "words-1/2", ...client);
        assert.ok(
          typeof listed === "object" && listed !== null && "files" in listed && Array.isArray(listed.files),
        );
        const names = listed.files.map(({ name }) => name);
        assert.deepEqual(names.filter((name) => !/^(stdout|stderr|output)\.txt$/.test(name)), [
          "hello world.txt",
          "plots/loss.svg",
        ]);
        const { out } = await cli("artifacts", "words-1/2", ...client);
        assert.match(out, /^FILE +SIZE +ATTEMPT +SHA-256\n/);
        assert.match(out, /^plots\/loss\.svg +7 B +1 +[0-9a-f]{12}$/m);
        const to = `${folder}/back`;
        const fetched = await cli("fetch", "words-1/2", "plots", "hello world.txt", "--to", to, ...client);
        assert.equal(fetched.code, 0, fetched.notes);
        assert.deepEqual(await namesIn(to), ["hello world.txt", "plots", "plots/loss.svg"]);
        assert.equal(await Deno.readTextFile(`${to}/plots/loss.svg`), "<svg/>\n");
      });

      await t.step("a file that was not kept is a failure that names those that were", async () => {
        const { code: exit, notes } = await cli(
          "fetch",
          "words-1/2",
          "no.log",
          "--to",
          `${folder}/none`,
          ...client,
        );
        assert.equal(exit, 1);
        assert.match(notes, /there is no file no\.log of words-1\/2: it has hello world\.txt/);
      });
      await running.stop();
    }),
);

Deno.test(
  "a worker that is killed while it unpacks code does it anew, and nothing of before is left",
  LIMIT,
  () =>
    atSite(async ({ folder, client, worker }) => {
      const code = `${folder}/mine`;
      // Enough for a while.
      const many = Object.fromEntries(Array.from({ length: 2_500 }, (_, index) => [`data/${index}`, ""]));
      await writeTree(code, { "words.yaml": SPEC, "train.sh": TRAIN, "lib/value.sh": "VALUE=1\n", ...many });
      const started = await cli(
        "run",
        `${code}/words.yaml`,
        ...client,
        "--set",
        "budget.trials=1",
        "--detach",
      );
      assert.equal(started.code, 0, started.notes);
      const victim = await worker("w1");
      await untilUnpacking(`${folder}/w1/transfers`);
      victim.signal("SIGKILL");
      await victim.finished();
      assert.deepEqual(await cached(`${folder}/w1`), []);
      assert.ok((await namesIn(`${folder}/w1/transfers`)).length > 100);
      const again = await worker("w1");
      const waited = await cli("wait", "words-1", ...client, "--output", "json");
      assert.equal(waited.code, 0, waited.notes);
      const [place = ""] = await cached(`${folder}/w1`);
      const tree = `${folder}/w1/code/${place.split(" ")[0]}/tree`;
      assert.equal((await namesIn(`${tree}/data`)).length, 2_500);
      await again.stop();
      assert.deepEqual(await namesIn(`${folder}/w1/transfers`), []);
    }),
);

/** There are some files, and not yet all. */
async function untilUnpacking(transfers: string): Promise<void> {
  for (;;) {
    const names = await namesIn(transfers).catch(() => []);
    if (names.filter((name) => name.includes("/data/")).length > 100) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
