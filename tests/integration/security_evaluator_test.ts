/**
 * What evaluators' code can see and do on a worker's machine.
 *
 * @module
 */
import assert from "node:assert/strict";
import { moduleExecutor, type ModuleOptions } from "../../worker/executors/module/module.ts";
import { type End, run } from "../conformance/executor_attempts.ts";

const SECRET = "hunter2-is-nobodys-business";

/** A folder with files, whose `evaluate.ts` can be run. */
async function inFolder(
  files: Readonly<Record<string, string>>,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "espalier-evaluator-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(`${folder}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function endOf(path: string, options: ModuleOptions = {}): Promise<End> {
  const executor = moduleExecutor(options);
  try {
    return await run(executor, { evaluator: { kind: "module", path }, input: { candidate: {} } });
  } finally {
    await executor.close();
  }
}

/** Tries things, and measures which of them it was allowed. */
const TRIES = `
const tries: Record<string, () => unknown> = {
  environment: () => Deno.env.get("ESPALIER_TOKEN"),
  all_environment: () => Deno.env.toObject(),
  node_environment: () => { if (Object.keys(process.env).length === 0) throw new Error("none"); },
  read: () => Deno.readTextFileSync("/etc/passwd"),
  above: () => Deno.readTextFileSync(new URL("../outside.txt", import.meta.url)),
  own_environment: () => Deno.readTextFileSync("/proc/self/environ"),
  write: () => Deno.writeTextFileSync(new URL("written", import.meta.url), ""),
  link: () => Deno.symlinkSync("/etc", new URL("linked", import.meta.url)),
  run: () => new Deno.Command("/bin/true").outputSync(),
  connect: () => Deno.listen({ port: 0 }),
  library: () => Deno.dlopen("libc.so.6", {}),
  system: () => Deno.hostname(),
  kill: () => Deno.kill(1, "SIGCONT"),
  chdir: () => { Deno.chdir("/"); Deno.readDirSync("."); },
  own: () => Deno.readTextFileSync(new URL("data.txt", import.meta.url)),
};
import process from "node:process";
export function evaluate() {
  const metrics: Record<string, number> = {};
  for (const [name, attempt] of Object.entries(tries)) {
    try { attempt(); metrics[name] = 1; } catch { metrics[name] = 0; }
  }
  return metrics;
}`;

Deno.test("an evaluator reads its own folder and can do nothing else", () =>
  inFolder({ "inner/evaluate.ts": TRIES, "inner/data.txt": "", "outside.txt": "" }, async (folder) => {
    const end = await endOf(`${folder}/inner/evaluate.ts`);
    assert.ok(end.state === "completed", JSON.stringify(end));
    const allowed = Object.entries(end.metrics).filter(([, value]) => value === 1).map(([name]) => name);
    assert.deepEqual(allowed, ["own"]);
  }));

Deno.test("of the worker's environment an evaluator's process holds what deno needs for its cache, and no more", () =>
  inFolder({
    "evaluate.ts": "export const evaluate = () => new Promise(() => setTimeout(() => {}, 60_000));",
  }, async (folder) => {
    const names = [
      "ESPALIER_TOKEN",
      "AWS_SECRET_ACCESS_KEY",
      "DENO_AUTH_TOKENS",
      "LD_PRELOAD_SECRET",
      "NPM_TOKEN",
    ];
    for (const name of names) Deno.env.set(name, SECRET);
    const executor = moduleExecutor();
    const evaluator = { kind: "module", path: `${folder}/evaluate.ts` } as const;
    const before = childrenOfMine();
    const ended = run(executor, { evaluator, input: { candidate: {} } });
    try {
      const children = childrenOfMine().filter((pid) => !before.includes(pid));
      assert.ok(children.length > 0);
      for (const pid of children) {
        const environment = Deno.readTextFileSync(`/proc/${pid}/environ`);
        assert.ok(!environment.includes(SECRET), environment.replaceAll(SECRET, "SECRET"));
        for (const entry of environment.split("\0").filter((each) => each !== "")) {
          assert.match(
            entry,
            /^(DENO_DIR|HOME|XDG_CACHE_HOME|TMPDIR|TZ|NO_COLOR|DENO_NO_UPDATE_CHECK|PWD|OLDPWD|SHLVL|_|ESPALIER_LEASE)=/,
          );
        }
      }
    } finally {
      for (const name of names) Deno.env.delete(name);
      await executor.close();
      await ended;
    }
  }));

/** The processes that this one has started and that are alive. */
function childrenOfMine(): readonly number[] {
  const pids: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === Deno.pid) pids.push(Number(name));
    } catch {
      // It has ended.
    }
  }
  return pids;
}

Deno.test("a file that is no module is not read out in the words of its failure", () =>
  inFolder(
    { secret: SECRET, "secret.json": `{"a":"${SECRET}"}`, "secret.ts.bak": SECRET },
    async (folder) => {
      for (const name of ["secret", "secret.json", "secret.ts.bak"]) {
        const end = await endOf(`${folder}/${name}`);
        assert.ok(end.state === "failed" && end.final);
        assert.match(end.message, /is no TypeScript module/);
        assert.ok(!JSON.stringify(end).includes(SECRET));
      }
    },
  ));

Deno.test("a worker that runs modules from some folders runs none from elsewhere, by no way there", () => {
  const source = "export const evaluate = () => ({ ok: 1 });";
  return inFolder({
    "mine/a/evaluate.ts": source,
    "others/evaluate.ts": source,
    "mineral/evaluate.ts": source,
  }, async (folder) => {
    const options = { within: [`${folder}/mine`] };
    await Deno.symlink(`${folder}/others/evaluate.ts`, `${folder}/mine/link.ts`);
    await Deno.symlink(`${folder}/others`, `${folder}/mine/folder`);
    assert.equal((await endOf(`${folder}/mine/a/evaluate.ts`, options)).state, "completed");
    for (
      const path of [
        "others/evaluate.ts",
        "mineral/evaluate.ts",
        "mine/../others/evaluate.ts",
        "mine/link.ts",
        "mine/folder/evaluate.ts",
        "mine/none.ts",
      ]
    ) {
      const end = await endOf(`${folder}/${path}`, options);
      assert.ok(end.state === "failed" && end.final, path);
      assert.match(end.message, /in none of the folders/);
    }
  });
});
