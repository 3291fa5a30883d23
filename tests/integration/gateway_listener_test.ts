import assert from "node:assert/strict";
import { listen } from "../../master/gateway/listener.ts";
import { TokenCheck } from "../../master/gateway/tokens.ts";
import { newTokens } from "../../master/gateway/tokens_file.ts";
import type { ToClient } from "../../shared/protocol/client_envelopes.ts";
import { CLOSE, FRAME_BYTES_MAX } from "../../shared/protocol/limits.ts";
import { heartbeatEnvelope, registerEnvelope } from "../unit/gateway/rig.ts";
import { makeCertificates } from "./certificates.ts";
import { EPOCH, GatewayRig, type RigOptions } from "./gateway_rig.ts";

const isReply = (each: ToClient): each is Extract<ToClient, { type: "reply" }> => each.type === "reply";
const isRefused = (each: ToClient): each is Extract<ToClient, { type: "refused" }> => each.type === "refused";
const isSnapshot = (each: ToClient): each is Extract<ToClient, { type: "snapshot" }> =>
  each.type === "snapshot";

/** A test with a listener that is put away after it. */
function withRig(name: string, body: (it: GatewayRig) => Promise<void>, options: RigOptions = {}): void {
  Deno.test(name, async () => {
    const it = new GatewayRig(options);
    try {
      await until(async () => options.isStarting === true || await status(it, "/ready") === 200);
      await body(it);
    } finally {
      await it.end();
    }
  });
}

/** The listener answers over a real socket: asking again is the only way to know that it changed. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!await holds());
}

async function status(it: GatewayRig, path: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await it.get(path, headers);
  await response.body?.cancel();
  return response.status;
}

/** What an upgrade is answered, as HTTP. */
async function upgrade(it: GatewayRig, headers: Record<string, string>) {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: it.listener.port });
  const lines = {
    host: `127.0.0.1:${it.listener.port}`,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  await connection.write(new TextEncoder().encode(`GET /socket HTTP/1.1\r\n${head}\r\n`));
  const buffer = new Uint8Array(8_192);
  const read = await connection.read(buffer);
  connection.close();
  const text = new TextDecoder().decode(buffer.subarray(0, read ?? 0));
  return { status: Number(text.split(" ")[1]), text };
}

withRig("a worker's words travel over a real socket to the cluster, and its end is told once", async (it) => {
  const worker = it.connect(it.tokens.worker);
  await worker.opened;
  assert.equal(worker.protocol, "espalier.1");
  worker.say(registerEnvelope(), heartbeatEnvelope(1));
  await it.until(() => it.cluster.some(({ type }) => type === "worker_said"));
  worker.close();
  await it.until(() => it.cluster.some(({ type }) => type === "worker_left"));
  await worker.closed;
  const types = it.cluster.map(({ type }) => type).filter((type) => type.startsWith("worker_"));
  assert.deepEqual(types, ["worker_joined", "worker_said", "worker_left"]);
});

withRig("a client asks, subscribes and is answered with the epoch", async (it) => {
  const client = it.connect(it.tokens.view);
  await client.opened;
  client.say(
    { type: "command", id: "c1", command: { kind: "workers" } },
    { type: "subscribe", id: "s", kind: "live", after: null, seen: null },
  );
  const snapshot = await client.next(isSnapshot);
  assert.equal(snapshot.epoch, EPOCH);
  assert.equal((await client.next(isReply)).epoch, EPOCH);
  client.close();
  await client.closed;
});

withRig("a viewer's command is answered with what it lacks, and the session lives on", async (it) => {
  const client = it.connect(it.tokens.view);
  await client.opened;
  client.say({ type: "command", id: "c1", command: { kind: "stop", target: "master", graceMs: 0 } });
  const reply = await client.next(isReply);
  assert.ok(!reply.ok);
  assert.equal(reply.error.code, "forbidden");
  client.say({ type: "command", id: "c2", command: { kind: "workers" } });
  assert.ok((await client.next(isReply)).ok);
  assert.deepEqual(it.stops, []);
  client.close();
  await client.closed;
});

withRig(
  "noise, text and frames over the limit close their socket with a word why, and no other",
  async (it) => {
    const bystander = it.connect(it.tokens.view);
    await bystander.opened;
    const noises: readonly (readonly [string | Uint8Array<ArrayBuffer>, number])[] = [
      [new Uint8Array([0xc1, 1, 2, 3]), CLOSE.malformed.code],
      ['[{"type":"command"}]', CLOSE.malformed.code],
      [new Uint8Array(FRAME_BYTES_MAX + 1), CLOSE.too_large.code],
    ];
    for (const [noise, code] of noises) {
      for (const role of ["admin", "worker"] as const) {
        const socket = it.connect(it.tokens[role]);
        await socket.opened;
        socket.sayRaw(noise);
        await socket.next(isRefused);
        assert.equal(await socket.closed, code);
        assert.equal(socket.closes.length, 1);
      }
    }
    bystander.say({ type: "command", id: "c1", command: { kind: "workers" } });
    assert.ok((await bystander.next(isReply)).ok);
    bystander.close();
    await bystander.closed;
  },
);

withRig("no token and a wrong token are refused before any session begins", async (it) => {
  const protocol = { "sec-websocket-protocol": "espalier.1" };
  const wrong = newTokens().admin;
  const right = it.tokens.admin;
  for (
    const headers of [
      protocol,
      { ...protocol, authorization: `Bearer ${wrong}` },
      { ...protocol, authorization: right },
      { ...protocol, authorization: `Basic ${right}` },
      { ...protocol, authorization: `Bearer ${right}x` },
      { ...protocol, authorization: "Bearer " },
      { ...protocol, cookie: `espalier_${it.listener.port}=${wrong}` },
      { ...protocol, cookie: `espalier_1=${right}` },
      { "sec-websocket-protocol": `espalier.1, espalier.token.${wrong}` },
      { "sec-websocket-protocol": `espalier.1, espalier.token.${wrong}`, authorization: `Bearer ${right}` },
    ]
  ) {
    const answer = await upgrade(it, headers);
    assert.equal(answer.status, 401, JSON.stringify(headers));
    assert.ok(!answer.text.includes(wrong) && !answer.text.includes(right));
  }
  assert.ok(!it.log.some((line) => line.includes(right)));
});

withRig("a token is taken from the header, the cookie or the list of subprotocols", async (it) => {
  const cookie = `other=1; espalier_${it.listener.port}=${it.tokens.view}`;
  for (
    const socket of [
      it.connect(it.tokens.view),
      it.connect(undefined, ["espalier.1"], { cookie }),
      it.connect(undefined, ["espalier.1", `espalier.token.${it.tokens.view}`]),
    ]
  ) {
    await socket.opened;
    assert.equal(socket.protocol, "espalier.1");
    socket.close();
    await socket.closed;
  }
});

withRig("a missing or another subprotocol is refused with both versions named", async (it) => {
  const authorization = `Bearer ${it.tokens.worker}`;
  const missing = await upgrade(it, { authorization });
  assert.equal(missing.status, 400);
  assert.match(missing.text, /speaks espalier\.1/);
  const other = await upgrade(it, { authorization, "sec-websocket-protocol": "espalier.2" });
  assert.equal(other.status, 426);
  assert.match(other.text, /speaks espalier\.1, the peer espalier\.2/);
});

withRig("a page of another origin gets no socket, one of the same does", async (it) => {
  const own = {
    "sec-websocket-protocol": "espalier.1",
    cookie: `espalier_${it.listener.port}=${it.tokens.admin}`,
  };
  for (const origin of ["https://evil.example", "null", `http://127.0.0.1:${it.listener.port + 1}`]) {
    assert.equal((await upgrade(it, { ...own, origin })).status, 403, origin);
  }
  assert.equal((await upgrade(it, { ...own, origin: it.listener.url })).status, 101);
});

withRig("a path that is no socket's, a method that is not GET and a body are refused", async (it) => {
  assert.equal(await status(it, "/socket"), 426);
  assert.equal(await status(it, "/nothing"), 404);
  for (const method of ["POST", "PUT", "DELETE"]) {
    const response = await fetch(`${it.listener.url}/health`, { method, body: "x".repeat(1_000_000) });
    await response.body?.cancel();
    assert.equal(response.status, 405);
  }
});

withRig("health and readiness answer anyone, and say why the master is not ready", async (it) => {
  assert.equal(await status(it, "/health"), 200);
  const response = await it.get("/ready");
  const { ready, reasons } = await response.json();
  assert.equal(response.status, 503);
  assert.equal(ready, false);
  assert.match(reasons[0], /epoch/);
  const headers = {
    "sec-websocket-protocol": "espalier.1",
    authorization: `Bearer ${it.tokens.worker}`,
  };
  const refused = await upgrade(it, headers);
  assert.equal(refused.status, 503);
  assert.match(refused.text, /retry-after: 1/i);
  it.announce();
  await until(async () => await status(it, "/ready") === 200);
  assert.equal((await upgrade(it, headers)).status, 101);
}, { isStarting: true });

withRig("a degraded store shows on /ready, and sockets still get in", async (it) => {
  const value = { epoch: EPOCH, commit: 0, store: { state: "degraded", reason: "the disk is full" } };
  it.show([{ topic: "status", key: "status", value }]);
  await until(async () => await status(it, "/ready") === 503);
  const { reasons } = await (await it.get("/ready")).json();
  assert.match(reasons[0], /the disk is full/);
  const client = it.connect(it.tokens.view);
  await client.opened;
  client.close();
  await client.closed;
});

withRig("logging in sets a cookie that scripts cannot read and leads to the page", async (it) => {
  const response = await it.get(`/login?token=${it.tokens.view}`);
  await response.body?.cancel();
  assert.equal(response.status, 303);
  assert.equal(response.headers.get("location"), "/");
  const cookie = response.headers.get("set-cookie") ?? "";
  assert.match(cookie, /HttpOnly/);
  assert.match(cookie, /SameSite=Strict/);
  assert.equal(await status(it, "/", { cookie: cookie.split(";")[0] ?? "" }), 200);
  assert.equal(await status(it, "/"), 401);
  assert.equal(await status(it, "/login?token=wrong"), 401);
  assert.equal(await status(it, "/login"), 401);
}, { assets: [{ path: "/", contentType: "text/html", body: new TextEncoder().encode("page") }] });

withRig("pages come with a policy that allows no foreign and no inline script", async (it) => {
  const response = await it.get("/");
  await response.body?.cancel();
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'/);
  assert.ok(!policy.includes("unsafe"));
}, { assets: [{ path: "/", contentType: "text/html", body: new TextEncoder().encode("page") }] });

withRig("connections beyond the limit are told to come again", async (it) => {
  const first = it.connect(it.tokens.view);
  await first.opened;
  const headers = {
    "sec-websocket-protocol": "espalier.1",
    authorization: `Bearer ${it.tokens.view}`,
  };
  assert.equal((await upgrade(it, headers)).status, 503);
  first.close();
  await first.closed;
  await until(async () => (await upgrade(it, headers)).status === 101);
}, { sessionsMax: 1 });

withRig("connections that come too fast are told to come again", async (it) => {
  const headers = {
    "sec-websocket-protocol": "espalier.1",
    authorization: `Bearer ${it.tokens.view}`,
  };
  assert.equal((await upgrade(it, headers)).status, 101);
  assert.equal((await upgrade(it, headers)).status, 101);
  assert.equal((await upgrade(it, headers)).status, 429);
}, { upgrades: { burst: 2, perSecond: 0 } });

withRig(
  "when the cluster crashes its sockets are closed as restarting, and the door opens again",
  async (it) => {
    const worker = it.connect(it.tokens.worker);
    await worker.opened;
    worker.say(registerEnvelope());
    await it.until(() => it.cluster.some(({ type }) => type === "worker_joined"));
    const cluster = it.system.inspect()?.children.find(({ name }) => name === "cluster");
    assert.ok(cluster !== undefined);
    it.system.kill(cluster);
    assert.equal(await worker.closed, CLOSE.restarting.code);
    await until(async () => await status(it, "/ready") === 200);
    const again = it.connect(it.tokens.worker);
    await again.opened;
    again.close();
    await again.closed;
  },
);

Deno.test("a bind beyond loopback without TLS is refused with the reason, unless someone insists", async () => {
  const check = new TokenCheck(newTokens());
  const refused = listen({ hostname: "0.0.0.0", port: 0, check, assets: [] });
  assert.ok(!refused.ok);
  assert.equal(refused.error.code, "insecure_bind");
  assert.match(refused.error.advice, /--insecure/);
  const insisted = listen({ hostname: "0.0.0.0", port: 0, check, assets: [], insecure: true });
  assert.ok(insisted.ok);
  await insisted.listener.close();
});

Deno.test("a port in use is named, with what to do", async () => {
  const check = new TokenCheck(newTokens());
  const first = listen({ hostname: "127.0.0.1", port: 0, check, assets: [] });
  assert.ok(first.ok);
  const { port } = first.listener;
  const second = listen({ hostname: "127.0.0.1", port, check, assets: [] });
  assert.ok(!second.ok);
  assert.equal(second.error.code, "port_in_use");
  assert.match(second.error.message, new RegExp(String(port)));
  assert.match(second.error.advice, /--port/);
  await first.listener.close();
});

Deno.test({
  name: "with a certificate the socket and the pages are encrypted",
  fn: async () => {
    const { ca, cert, key } = makeCertificates();
    const it = new GatewayRig({ tls: { cert, key } });
    const client = Deno.createHttpClient({ caCerts: [ca] });
    try {
      assert.match(it.listener.url, /^https:/);
      await until(async () => {
        const response = await fetch(`${it.listener.url}/ready`, { client });
        await response.body?.cancel();
        return response.status === 200;
      });
      const socket = it.connect(it.tokens.view, ["espalier.1"], {}, client);
      await socket.opened;
      socket.say({ type: "command", id: "c1", command: { kind: "workers" } });
      assert.ok((await socket.next(isReply)).ok);
      socket.close();
      await socket.closed;
    } finally {
      client.close();
      await it.end();
    }
  },
});

Deno.test("a certificate that is none is an error value", () => {
  const check = new TokenCheck(newTokens());
  const tls = { cert: "no certificate", key: "no key" };
  const result = listen({ hostname: "127.0.0.1", port: 0, check, assets: [], tls });
  assert.ok(!result.ok);
  assert.equal(result.error.code, "bad_certificate");
});
