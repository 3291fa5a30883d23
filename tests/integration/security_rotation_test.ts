/**
 * Tokens are changed while processes run: nothing else is interrupted, and no token is ever printed.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CliProcess, inFolder, writeSpec } from "./cli_process.ts";

const ROLES = ["admin", "submit", "worker", "view"] as const;

/** The tokens of a folder as they are now. */
function tokensOf(data: string): readonly string[] {
  const tokens = JSON.parse(Deno.readTextFileSync(`${data}/tokens.json`));
  return ROLES.map((role) => String(tokens[role]));
}

Deno.test("new tokens end the old ones at once, and an attempt that runs is not interrupted", () =>
  inFolder(async (folder) => {
    const data = `${folder}/data`;
    const said: string[] = [];
    const master = new CliProcess(["master", "--data", data, "--port", "0", "--log-level", "debug"]);
    const [, url = ""] = await master.line(/^master +(http:\S+)$/m);
    const before = tokensOf(data);
    const [admin = "", , workerToken = ""] = before;
    await Deno.writeTextFile(`${folder}/old-admin`, admin);
    await Deno.writeTextFile(`${folder}/worker-token`, workerToken);
    const worker = new CliProcess([
      ...["worker", "--master", url, "--token-file", `${folder}/worker-token`, "--data", `${folder}/w`],
      ...["--slots", "1", "--log-level", "debug"],
    ]);
    await worker.line(/connected to the master/);
    const spec = await writeSpec(folder, { trials: 1, ms: 4_000 });
    const run = new CliProcess(["run", spec, "--data", data, "--output", "json"]);
    await run.line(/is running/);
    const rotate = await new CliProcess(["tokens", "rotate", "--now", "--data", data]).finished();
    assert.equal(rotate.code, 0, rotate.notes);
    const after = tokensOf(data);
    for (const token of before) assert.ok(!after.includes(token));
    // As the operator hands it over: the worker reads its file at each connection.
    await Deno.writeTextFile(`${folder}/worker-token`, after[2] ?? "");
    await master.line(/worker session ended: refused: the token that this session began with has ended/);
    const old = ["workers", "--master", url, "--token-file", `${folder}/old-admin`];
    const refused = await new CliProcess(old).finished();
    assert.notEqual(refused.code, 0);
    assert.match(refused.notes, /does not accept this token/);
    // A client that found its token in the folder goes on by itself.
    const done = await run.finished();
    assert.equal(done.code, 0, done.notes);
    assert.deepEqual([JSON.parse(done.out).trials.completed, JSON.parse(done.out).attempts], [1, 1]);
    for (const each of [await worker.stop(), await master.stop(), refused, rotate, done]) {
      said.push(each.out, each.notes);
    }
    assertNoToken(said.join("\n"), [...before, ...after]);
  }));

Deno.test("with a grace period both tokens let their bearers in", () =>
  inFolder(async (folder) => {
    const data = `${folder}/data`;
    const master = new CliProcess(["master", "--data", data, "--port", "0"]);
    const [, url = ""] = await master.line(/^master +(http:\S+)$/m);
    await Deno.writeTextFile(`${folder}/old`, tokensOf(data)[3] ?? "");
    const rotate = await new CliProcess(["tokens", "rotate", "view", "--grace", "1h", "--data", data])
      .finished();
    assert.match(rotate.out, /the old ones end in 1h/);
    await master.line(/the tokens were changed/);
    await Deno.writeTextFile(`${folder}/new`, tokensOf(data)[3] ?? "");
    for (const file of ["old", "new"]) {
      const args = ["workers", "--master", url, "--token-file", `${folder}/${file}`];
      assert.equal((await new CliProcess(args).finished()).code, 0, file);
    }
    await master.stop();
  }));

Deno.test("no token and no hash of one is printed at any level, whatever fails", () =>
  inFolder(async (folder) => {
    const data = `${folder}/data`;
    const said: string[] = [];
    const master = new CliProcess(["master", "--data", data, "--port", "0", "--log-level", "debug"]);
    const [, url = ""] = await master.line(/^master +(http:\S+)$/m);
    const tokens = tokensOf(data);
    const wrong = `espalier_worker_${"A".repeat(43)}`;
    const get = async (path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${url}${path}`, { headers, redirect: "manual" });
      // The cookie is where a token belongs.
      said.push(await response.text());
    };
    for (const token of [...tokens, wrong]) await get(`/login?token=${token}`);
    for (const path of ["/health", "/ready", "/nothing", `/${wrong}`]) {
      await get(path, { authorization: `Bearer ${tokens[0]}` });
    }
    const ask = async (token: string, ...args: string[]) => {
      await Deno.writeTextFile(`${folder}/token`, token);
      const asked = await new CliProcess([...args, "--master", url, "--token-file", `${folder}/token`])
        .finished();
      said.push(asked.out, asked.notes);
      return asked.code;
    };
    assert.equal(await ask(tokens[0] ?? "", "workers"), 0);
    assert.notEqual(await ask(wrong, "workers"), 0);
    assert.notEqual(await ask(tokens[3] ?? "", "stop", "master"), 0);
    assert.notEqual(await ask(wrong, "worker", "--data", `${folder}/w`), 0);
    assert.notEqual(await ask(tokens[3] ?? "", "worker", "--data", `${folder}/w`), 0);
    const ended = await master.stop();
    said.push(ended.out, ended.notes);
    assertNoToken(said.join("\n"), [...tokens, wrong]);
  }));

/** The master prints one address that logs a browser in: its token, of role view, is the only one to be seen. */
function assertNoToken(said: string, tokens: readonly string[]): void {
  const printed = said.replaceAll(/^status page .*$/gm, "");
  assert.ok(printed.length < said.length, "the master printed no address to log in");
  for (const token of tokens) assert.ok(!printed.includes(token), `${token.slice(0, 15)} was printed`);
}
