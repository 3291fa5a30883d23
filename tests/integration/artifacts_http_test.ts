import { deepEqual, equal, match, ok } from "node:assert/strict";
import { hashOf, noise } from "../unit/artifacts/rig.ts";
import { type ArtifactsRig, withArtifacts } from "./artifacts_rig.ts";

const BYTES = noise(300_000);
const SHA256 = hashOf(BYTES);
const PATH = `/artifacts/${SHA256}`;

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

async function put(it: ArtifactsRig, token: string = it.tokens.worker) {
  return await it.ask(PATH, { method: "PUT", token, body: BYTES });
}

withArtifacts(
  "whoever evaluates or submits may put, whoever watches may only get, and nobody without a token",
  async (it) => {
    equal((await it.ask(PATH, { method: "PUT", body: BYTES })).status, 401);
    const viewed = await put(it, it.tokens.view);
    equal(viewed.status, 403);
    match(text(viewed.bytes), /role view adds no artifacts/);
    equal((await put(it, it.tokens.worker)).status, 201);
    equal((await put(it, it.tokens.submit)).status, 200);
    equal((await put(it, it.tokens.admin)).status, 200);
    equal((await it.ask(PATH)).status, 401);
    for (const role of ["admin", "submit", "worker", "view"] as const) {
      const got = await it.ask(PATH, { token: it.tokens[role] });
      equal(got.status, 200);
      deepEqual(got.bytes, BYTES);
    }
  },
);

withArtifacts(
  "a browser that is logged in saves an artifact, never shows it, and no page of another host gets it",
  async (it) => {
    await put(it);
    const cookie = `espalier_${it.listener.port}=${it.tokens.view}`;
    const { status, headers, bytes } = await it.ask(PATH, { headers: { cookie, "sec-fetch-site": "none" } });
    equal(status, 200);
    deepEqual(bytes, BYTES);
    equal(headers.get("content-disposition"), `attachment; filename="${SHA256}"`);
    equal(headers.get("x-content-type-options"), "nosniff");
    equal(headers.get("content-type"), "application/octet-stream");
    equal((await it.ask(PATH, { headers: { cookie, origin: "https://evil.example" } })).status, 403);
    equal((await it.ask(PATH, { headers: { cookie, "sec-fetch-site": "cross-site" } })).status, 403);
    // A cookie is sent whether it is meant or not: it changes nothing.
    const admin = `espalier_${it.listener.port}=${it.tokens.admin}`;
    equal((await it.ask(PATH, { method: "PUT", body: BYTES, headers: { cookie: admin } })).status, 401);
  },
);

withArtifacts("ranges and heads are answered as HTTP has them", async (it) => {
  await put(it);
  const token = it.tokens.view;
  const range = async (value: string, more: Record<string, string> = {}) =>
    await it.ask(PATH, { token, headers: { range: value, ...more } });
  const middle = await range("bytes=1000-1999");
  equal(middle.status, 206);
  equal(middle.headers.get("content-range"), "bytes 1000-1999/300000");
  deepEqual(middle.bytes, BYTES.slice(1_000, 2_000));
  deepEqual((await range("bytes=299990-")).bytes, BYTES.slice(299_990));
  deepEqual((await range("bytes=-5")).bytes, BYTES.slice(-5));
  const beyond = await range("bytes=300000-");
  equal(beyond.status, 416);
  equal(beyond.headers.get("content-range"), "bytes */300000");
  equal((await range("bytes=0-1", { "if-range": '"another"' })).status, 200);
  equal((await range("bytes=0-1", { "if-range": `"${SHA256}"` })).status, 206);
  const head = await it.ask(PATH, { token, method: "HEAD" });
  equal(head.status, 200);
  equal(head.headers.get("content-length"), "300000");
  equal((await it.ask(`/artifacts/${"0".repeat(64)}`, { token, method: "HEAD" })).status, 404);
});

withArtifacts("an upload says where it is, and where it is to go on", async (it) => {
  const token = it.tokens.submit;
  const send = async (from: number, to: number) =>
    await it.ask(PATH, {
      method: "PUT",
      token,
      body: BYTES.slice(from, to),
      headers: { "content-range": `bytes ${from}-${to - 1}/300000` },
    });
  const ask = async () =>
    await it.ask(PATH, { method: "PUT", token, headers: { "content-range": "bytes */300000" } });
  equal((await ask()).headers.get("upload-offset"), "0");
  const first = await send(0, 100_000);
  equal(first.status, 202);
  equal(first.headers.get("upload-offset"), "100000");
  equal((await ask()).headers.get("upload-offset"), "100000");
  const gap = await send(150_000, 200_000);
  equal(gap.status, 409);
  equal(gap.headers.get("upload-offset"), "100000");
  equal((await send(100_000, 300_000)).status, 201);
  equal((await ask()).status, 200);
});

withArtifacts(
  "a wrong hash, a length that is not said and what is no hash are refused with a word why",
  async (it) => {
    const token = it.tokens.worker;
    const wrong = await it.ask(`/artifacts/${"0".repeat(64)}`, { method: "PUT", token, body: BYTES });
    equal(wrong.status, 422);
    match(text(wrong.bytes), /300000 bytes that came do not have the hash 0000/);
    const body = new Blob([BYTES]).stream();
    equal((await it.ask(PATH, { method: "PUT", token, body })).status, 411);
    const names = [
      SHA256.toUpperCase(),
      `${SHA256}0`,
      SHA256.slice(1),
      "..%2f..%2ftokens.json",
      "%2e%2e%2ftokens.json",
      `${SHA256}%00`,
      `..%5c${SHA256}`,
      `unfinished%2f${SHA256}`,
      "é".repeat(64),
    ];
    for (const name of names) {
      for (const method of ["GET", "PUT", "HEAD"]) {
        const init = method === "PUT" ? { method, token, body: "x" } : { method, token };
        equal((await it.ask(`/artifacts/${name}`, init)).status, 400, `${method} ${name}`);
      }
    }
    for (const path of ["/artifacts/", "/artifacts", `/artifacts/../artifacts/x/${SHA256}`]) {
      equal((await it.ask(path, { token })).status, 404, path);
    }
    equal((await it.ask(PATH, { method: "DELETE", token })).status, 405);
    equal((await it.ask(PATH, { method: "POST", token, body: "x" })).status, 405);
    deepEqual([...Deno.readDirSync(`${it.folder}/artifacts`)].map(({ name }) => name).toSorted(), [
      "removed",
      "unfinished",
    ]);
  },
);

withArtifacts("those without a token send no body: it is refused before it is read", async (it) => {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: it.listener.port });
  const head = `PUT ${PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000000000000\r\n\r\n`;
  await connection.write(new TextEncoder().encode(head));
  const buffer = new Uint8Array(1_024);
  const read = await connection.read(buffer);
  match(text(buffer.subarray(0, read ?? 0)), /^HTTP\/1.1 401 /);
  connection.close();
});

withArtifacts(
  "a flood of uploads and downloads takes no more than the room has, and the rest is told to come again",
  async (it) => {
    await put(it);
    const open: Deno.Conn[] = [];
    const statuses: Promise<number>[] = [];
    for (let i = 0; i < 40; i++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: it.listener.port });
      open.push(connection);
      const sha256 = hashOf(noise(100, i + 10));
      const head =
        `PUT /artifacts/${sha256} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${it.tokens.worker}\r\n` +
        "content-length: 1000\r\n\r\nx";
      await connection.write(new TextEncoder().encode(head));
      statuses.push((async () => {
        const buffer = new Uint8Array(1_024);
        const read = await connection.read(buffer).catch(() => null);
        return Number(text(buffer.subarray(0, read ?? 0)).split(" ")[1]);
      })());
    }
    const answered = await Promise.all(statuses);
    equal(answered.filter((status) => status === 503).length, 36);
    // Those that were let in and then said nothing are ended in their time.
    equal(answered.filter((status) => status === 408).length, 4);
    open.forEach((connection) => connection.close());
    equal((await it.ask("/health")).status, 200);
    equal((await it.ask(PATH, { token: it.tokens.view })).status, 200);
    ok((await put(it)).status === 200);
  },
  { uploadsMax: 4, idleMs: 2_000 },
);
