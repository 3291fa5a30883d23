import assert from "node:assert/strict";
import { TokenCheck } from "../../master/gateway/tokens.ts";
import { newTokens, openTokens, readTokens, rotateTokens } from "../../master/gateway/tokens_file.ts";
import { watchTokens } from "../../master/gateway/tokens_watch.ts";
import { CLOSE } from "../../shared/protocol/limits.ts";
import { registerEnvelope } from "../unit/gateway/rig.ts";
import { GatewayRig } from "./gateway_rig.ts";

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
    const { admin, submit, worker, view } = made.tokens;
    assert.equal(new Set([admin, submit, worker, view]).size, 4);
    for (const [role, token] of Object.entries({ admin, submit, worker, view })) {
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

const NOW_MS = Date.parse("2026-01-01T00:00:00Z");
const HOUR_MS = 3_600_000;

Deno.test("a changed token counts beside the new one until its end, and the others stay as they were", () =>
  inFolder(async (folder) => {
    const before = await openTokens(folder);
    assert.ok(before.ok);
    const after = await rotateTokens(folder, { roles: ["worker"], graceMs: HOUR_MS, nowMs: NOW_MS });
    assert.ok(after.ok);
    assert.notEqual(after.tokens.worker, before.tokens.worker);
    assert.equal(after.tokens.admin, before.tokens.admin);
    let nowMs = NOW_MS;
    const check = new TokenCheck(after.tokens, () => nowMs);
    const old = check.bearerOf(before.tokens.worker);
    assert.equal(old?.role, "worker");
    assert.ok(check.holds(old));
    assert.equal(check.roleOf(after.tokens.worker), "worker");
    nowMs += HOUR_MS;
    assert.equal(check.roleOf(before.tokens.worker), undefined);
    assert.ok(!check.holds(old));
    assert.equal(check.roleOf(after.tokens.worker), "worker");
  }));

Deno.test("tokens that are to end are kept as hashes, in a file for its owner alone, and leave no other file", () =>
  inFolder(async (folder) => {
    const before = await openTokens(folder);
    assert.ok(before.ok);
    await rotateTokens(folder, { roles: ["admin", "view"], graceMs: HOUR_MS, nowMs: NOW_MS });
    const text = await Deno.readTextFile(`${folder}/tokens.json`);
    assert.ok(!text.includes(before.tokens.admin) && !text.includes(before.tokens.view));
    const { mode } = await Deno.stat(`${folder}/tokens.json`);
    assert.equal((mode ?? 0) & 0o777, 0o600);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["tokens.json"]);
  }));

Deno.test("without grace all old tokens of a role end, and those of other roles keep theirs", () =>
  inFolder(async (folder) => {
    const first = await openTokens(folder);
    const second = await rotateTokens(folder, { roles: ["admin", "view"], graceMs: HOUR_MS, nowMs: NOW_MS });
    const third = await rotateTokens(folder, { roles: ["admin"], graceMs: 0, nowMs: NOW_MS });
    assert.ok(first.ok && second.ok && third.ok);
    const check = new TokenCheck(third.tokens, () => NOW_MS);
    assert.equal(check.roleOf(first.tokens.admin), undefined);
    assert.equal(check.roleOf(second.tokens.admin), undefined);
    assert.equal(check.roleOf(third.tokens.admin), "admin");
    assert.equal(check.roleOf(first.tokens.view), "view");
  }));

Deno.test("ends that are over are forgotten, and too many at once are refused without a change", () =>
  inFolder(async (folder) => {
    await openTokens(folder);
    for (let n = 0; n < 16; n++) {
      const roles = ["admin", "submit", "worker", "view"] as const;
      assert.ok((await rotateTokens(folder, { roles, graceMs: HOUR_MS, nowMs: NOW_MS })).ok);
    }
    const full = await readTokens(folder);
    const refused = await rotateTokens(folder, { roles: ["view"], graceMs: HOUR_MS, nowMs: NOW_MS });
    assert.ok(!refused.ok);
    assert.match(refused.advice, /--now/);
    assert.deepEqual(await readTokens(folder), full);
    const later = await rotateTokens(folder, { roles: ["view"], graceMs: HOUR_MS, nowMs: NOW_MS + HOUR_MS });
    assert.equal(later.ok && later.tokens.ending?.length, 1);
  }));

Deno.test("a folder without tokens, or with damaged ones, is told and not changed", () =>
  inFolder(async (folder) => {
    const rotation = { roles: ["view"], graceMs: 0, nowMs: NOW_MS } as const;
    const none = await rotateTokens(folder, rotation);
    assert.match(none.ok ? "" : none.advice, /--data/);
    await Deno.writeTextFile(`${folder}/tokens.json`, "{");
    assert.ok(!(await rotateTokens(folder, rotation)).ok);
    assert.equal(await Deno.readTextFile(`${folder}/tokens.json`), "{");
  }));

Deno.test("a running master takes new tokens, ends the sessions of ended ones, and touches no others", () =>
  inFolder(async (folder) => {
    const before = await openTokens(folder);
    assert.ok(before.ok);
    const check = new TokenCheck(before.tokens);
    const it = new GatewayRig({ tokens: before.tokens, check });
    const log: string[] = [];
    const end = watchTokens({
      folder,
      check,
      looked: () => it.listener.expire(),
      log: (_level, text) => void log.push(text),
      everyMs: 5,
    });
    try {
      // The gateway is open once its cluster has spoken.
      while ((await statusOf(it.get("/ready"))) !== 200);
      const worker = it.connect(before.tokens.worker);
      const viewer = it.connect(before.tokens.view);
      await Promise.all([worker.opened, viewer.opened]);
      worker.say(registerEnvelope());
      await it.until(() => it.cluster.some(({ type }) => type === "worker_joined"));
      const after = await rotateTokens(folder, { roles: ["worker"], graceMs: 0, nowMs: Date.now() });
      assert.ok(after.ok);
      assert.equal(await worker.closed, CLOSE.expired.code);
      await it.until(() => it.cluster.some(({ type }) => type === "worker_left"));
      const late = it.connect(before.tokens.worker);
      assert.notEqual(await late.closed, 1000);
      late.opened.catch(() => {});
      const fresh = it.connect(after.tokens.worker);
      await fresh.opened;
      viewer.say({ type: "command", id: "c1", command: { kind: "workers" } });
      assert.ok((await viewer.next((each) => each.type === "reply")).ok);
      for (const socket of [fresh, viewer]) socket.close();
      await Promise.all([fresh.closed, viewer.closed]);
      assert.match(log.join("\n"), /the tokens were changed/);
      for (const secret of [before.tokens.worker, after.tokens.worker]) {
        assert.ok(![...log, ...it.log].some((line) => line.includes(secret)));
      }
    } finally {
      await end();
      await it.end();
    }
  }));

Deno.test("a token that was made a moment ago lets its bearer in at once, by socket and by login", () =>
  inFolder(async (folder) => {
    const before = await openTokens(folder);
    assert.ok(before.ok);
    const check = new TokenCheck(before.tokens);
    const it = new GatewayRig({ tokens: before.tokens, check });
    const looked = () => it.listener.expire();
    const end = watchTokens({ folder, check, looked, log: () => {}, everyMs: 3_600_000 });
    try {
      while ((await statusOf(it.get("/ready"))) !== 200);
      for (const way of ["socket", "login"]) {
        const after = await rotateTokens(folder, { roles: ["view"], graceMs: 0, nowMs: Date.now() });
        assert.ok(after.ok);
        const { view } = after.tokens;
        if (way === "login") {
          const answer = await fetch(`${it.listener.url}/login?token=${view}`, { redirect: "manual" });
          await answer.body?.cancel();
          assert.equal(answer.status, 303);
          continue;
        }
        const [viewer, stranger] = [it.connect(view), it.connect(newTokens().view)];
        const first = await Promise.race([
          stranger.opened.then(() => "let in"),
          stranger.closed.then(() => "refused"),
        ]);
        assert.equal(first, "refused");
        await viewer.opened;
        viewer.close();
        await viewer.closed;
      }
    } finally {
      await end();
      await it.end();
    }
  }));

Deno.test("a damaged file or none changes nothing in a running master, and is told once", () =>
  inFolder(async (folder) => {
    const before = await openTokens(folder);
    assert.ok(before.ok);
    const check = new TokenCheck(before.tokens);
    const log: string[] = [];
    const looks: { readonly after: number; readonly done: () => void }[] = [];
    let looked = 0;
    const end = watchTokens({
      folder,
      check,
      looked: () => {
        looked += 1;
        for (const { after, done } of looks) if (looked > after) done();
      },
      log: (_level, text) => void log.push(text),
      everyMs: 2,
    });
    // Three looks later every change before has been seen.
    const seen = () => new Promise<void>((done) => void looks.push({ after: looked + 3, done }));
    await seen();
    await Deno.writeTextFile(`${folder}/tokens.json`, `{"admin":"${before.tokens.admin}"}`);
    await seen();
    assert.equal(log.length, 1);
    await Deno.remove(`${folder}/tokens.json`);
    await seen();
    await end();
    assert.equal(log.length, 2);
    assert.ok(!log.join("").includes(before.tokens.admin));
    assert.equal(check.roleOf(before.tokens.worker), "worker");
  }));

async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer;
  await response.body?.cancel();
  return response.status;
}
