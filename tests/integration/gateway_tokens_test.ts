import assert from "node:assert/strict";
import { TokenCheck } from "../../master/gateway/tokens.ts";
import { newTokens, openTokens } from "../../master/gateway/tokens_file.ts";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the first start makes a token for each role, in a file for its owner alone", () =>
  inFolder(async (folder) => {
    const made = await openTokens(folder);
    assert.ok(made.ok);
    assert.equal(new Set(Object.values(made.tokens)).size, 4);
    for (const [role, token] of Object.entries(made.tokens)) {
      assert.match(token, new RegExp(`^espalier_${role}_[A-Za-z0-9_-]{43}$`));
    }
    const { mode } = await Deno.stat(`${folder}/tokens.json`);
    assert.equal((mode ?? 0) & 0o777, 0o600);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["tokens.json"]);
  }));

Deno.test("a later start reads the same tokens, and takes back rights that are too wide", () =>
  inFolder(async (folder) => {
    const first = await openTokens(folder);
    await Deno.chmod(`${folder}/tokens.json`, 0o644);
    const second = await openTokens(folder);
    assert.ok(first.ok && second.ok);
    assert.deepEqual(second.tokens, first.tokens);
    const { mode } = await Deno.stat(`${folder}/tokens.json`);
    assert.equal((mode ?? 0) & 0o777, 0o600);
  }));

Deno.test("a damaged file is not replaced, and its mending is told without telling what is in it", () =>
  inFolder(async (folder) => {
    const path = `${folder}/tokens.json`;
    const secret = newTokens().admin;
    for (const text of ["", "{", "[]", `{"admin":"${secret}"}`, `{"admin":"short"}`]) {
      await Deno.writeTextFile(path, text);
      const result = await openTokens(folder);
      assert.ok(!result.ok);
      assert.match(result.advice, /delete it/);
      assert.ok(!JSON.stringify(result).includes(secret));
      assert.equal(await Deno.readTextFile(path), text);
    }
  }));

Deno.test("each token stands for its role, and nothing else for any", () => {
  const tokens = newTokens();
  const check = new TokenCheck(tokens);
  for (const role of ["admin", "submit", "worker", "view"] as const) {
    assert.equal(check.roleOf(tokens[role]), role);
    assert.equal(check.roleOf(`${tokens[role]} `), undefined);
    assert.equal(check.roleOf(tokens[role].slice(0, -1)), undefined);
    assert.equal(check.roleOf(newTokens()[role]), undefined);
  }
  assert.equal(check.roleOf(""), undefined);
});
