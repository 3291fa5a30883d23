/**
 * `espalier verify` as a user sees it.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Verification, VerifiedStore } from "../../../client/cli/roles.ts";
import { runAlone } from "../cli/fake_terminal.ts";

const STORE: VerifiedStore = {
  file: "somewhere/espalier.db",
  storeId: "0123",
  schemaVersion: 1,
  epochs: 2,
  commits: 3,
  tasks: 4,
  outcomes: 4,
  experiments: 0,
  checks: [
    { name: "file_sound", promise: "the file is whole", looked: 1, violations: 0, first: [] },
    {
      name: "one_outcome",
      promise: "a task has at most one outcome",
      looked: 4,
      violations: 3,
      first: [{ message: "t7/1 has 2 outcomes", evidence: { task: "t7/1", rows: [1, 2] } }],
    },
  ],
  notChecked: [{ what: "the search of e1", why: "its optimizer is \u001b[31mforeign" }],
  violations: 3,
};

async function verify(found: Verification, ...args: string[]) {
  const asked: string[] = [];
  const result = await runAlone(["verify", "somewhere", ...args], {}, {
    verify: (path) => {
      asked.push(path);
      return found;
    },
  });
  return { ...result, asked };
}

Deno.test("verify tells each check with its counts, each violation with its evidence, and ends with 1", async () => {
  const { code, out, asked } = await verify({ kind: "store", report: STORE });
  assert.equal(code, 1);
  assert.match(asked[0] ?? "", /^\/.*\/somewhere$/);
  assert.match(out, /^file_sound +1 +0 +the file is whole$/m);
  assert.match(out, /^one_outcome +4 +3 +a task has/m);
  assert.match(out, /t7\/1 has 2 outcomes\n +\{"task":"t7\/1","rows":\[1,2\]\}\n +and 2 more/);
  assert.match(out, /not checked: the search of e1: its optimizer is \ufffd\[31mforeign/);
  assert.match(out, /3 violations were found$/);
});

Deno.test("verify prints exactly one value as json, and only names of broken promises where it is quiet", async () => {
  const json = await verify({ kind: "store", report: STORE }, "--output", "json");
  assert.deepEqual(JSON.parse(json.out), { kind: "store", ...STORE });
  assert.equal(json.code, 1);
  const quiet = await verify({ kind: "store", report: STORE }, "--output", "quiet");
  assert.equal(quiet.out, "one_outcome");
});

Deno.test("verify ends with 0 where nothing was found, and with 2 where there is nothing to check", async () => {
  const sound = { ...STORE, checks: STORE.checks.slice(0, 1), violations: 0 };
  const found = await verify({ kind: "store", report: sound });
  assert.equal(found.code, 0);
  assert.match(found.out, /nothing was found$/);
  const nothing = await verify({ kind: "nothing", message: "somewhere is no data folder" });
  assert.equal(nothing.code, 2);
  assert.match(nothing.notes, /somewhere is no data folder/);
  assert.equal((await runAlone(["verify"])).code, 2);
});

Deno.test("of a worker's folder verify says which results wait there for which leases", async () => {
  const report = {
    folder: "somewhere",
    worker: "gpu1",
    waiting: [{ task: "e1/3", attempt: 2, epoch: "ab.1.cd", state: "completed", elapsedMs: 1_500 }],
    tornBytes: 7,
    setAside: ["e1_9.1.ab.1.cd.json"],
  };
  const { code, out } = await verify({ kind: "worker", report });
  assert.equal(code, 0);
  assert.match(out, /worker gpu1 .* 1 results wait/);
  assert.match(out, /e1\/3, attempt 2 of epoch ab\.1\.cd: completed after 1500 ms/);
  assert.match(out, /ends in 7 bytes/);
  assert.match(out, /set aside: e1_9\.1/);
});
