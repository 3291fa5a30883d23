/**
 * What a browser meets: names, headers, logging in.
 *
 * @module
 */
import assert from "node:assert/strict";
import { LOGIN_BURST, LoginDesk } from "../../master/gateway/http_login.ts";
import { isOurs } from "../../master/gateway/http_hosts.ts";
import { TokenCheck } from "../../master/gateway/tokens.ts";
import { newTokens } from "../../master/gateway/tokens_file.ts";
import { makeCertificates } from "./certificates.ts";
import { GatewayRig, type RigOptions } from "./gateway_rig.ts";

const PAGE = { path: "/", contentType: "text/html", body: new TextEncoder().encode("page") };

function withRig(name: string, body: (it: GatewayRig) => Promise<void>, options: RigOptions = {}): void {
  Deno.test(name, async () => {
    const it = new GatewayRig({ assets: [PAGE], ...options });
    try {
      await body(it);
    } finally {
      await it.end();
    }
  });
}

/** An HTTP request as it is on the wire: `fetch` chooses some headers itself. */
async function raw(it: GatewayRig, head: string, body = ""): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: it.listener.port });
  await connection.write(new TextEncoder().encode(`${head.replaceAll("\n", "\r\n")}\r\n\r\n${body}`));
  const buffer = new Uint8Array(8_192);
  const read = await connection.read(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, read));
}

function form(it: GatewayRig, token: string, headers: Record<string, string> = {}): Promise<Response> {
  const body = new URLSearchParams({ token });
  return fetch(`${it.listener.url}/login`, { method: "POST", body, headers, redirect: "manual" });
}

async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer;
  await response.body?.cancel();
  return response.status;
}

withRig("a name that was made to point here is answered nowhere, addresses and own names are", async (it) => {
  for (const path of ["/", "/health", "/ready", "/login", "/socket"]) {
    for (const host of ["evil.example", `evil.example:${it.listener.port}`, "127.0.0.1.evil.example"]) {
      assert.match(await raw(it, `GET ${path} HTTP/1.1\nhost: ${host}`), /^HTTP\/1\.1 421/, `${host}${path}`);
    }
  }
  for (const host of ["localhost:9999", "127.0.0.1", `[::1]:${it.listener.port}`, "10.1.2.3:80"]) {
    assert.match(await raw(it, `GET /health HTTP/1.1\nhost: ${host}`), /^HTTP\/1\.1 200/, host);
  }
});

withRig("a proxy's name is answered where it was given", async (it) => {
  const ask = (host: string) => raw(it, `GET /health HTTP/1.1\nhost: ${host}`);
  assert.match(await ask("Search.example.org"), /^HTTP\/1\.1 200/);
  assert.match(await ask("evil.example"), /^HTTP\/1\.1 421/);
}, { names: ["search.example.org"] });

Deno.test("a listener that others reach goes by any name until it was given some", () => {
  assert.ok(isOurs("gpu1", "0.0.0.0", []));
  assert.ok(!isOurs("gpu1", "0.0.0.0", ["search.example.org"]));
  assert.ok(!isOurs("gpu1", "127.0.0.1", []));
});

withRig("every answer carries the headers of a page that nobody frames, sniffs or scripts", async (it) => {
  for (const path of ["/", "/health", "/ready", "/login?token=x", "/nothing", "/socket"]) {
    const response = await it.get(path);
    await response.body?.cancel();
    const of = (name: string) => response.headers.get(name) ?? "";
    assert.match(of("content-security-policy"), /default-src 'none'.*frame-ancestors 'none'/, path);
    assert.ok(!of("content-security-policy").includes("unsafe"));
    assert.equal(of("x-content-type-options"), "nosniff");
    assert.equal(of("x-frame-options"), "DENY");
    assert.equal(of("referrer-policy"), "no-referrer");
    assert.equal(of("cross-origin-opener-policy"), "same-origin");
    assert.equal(of("cross-origin-resource-policy"), "same-origin");
    assert.match(of("permissions-policy"), /camera=\(\)/);
    // Without TLS it would say what is not so.
    assert.equal(of("strict-transport-security"), "");
  }
});

withRig("a form logs in without the token in any address; what is no such form does not", async (it) => {
  const response = await form(it, it.tokens.view);
  await response.body?.cancel();
  assert.equal(response.status, 303);
  assert.equal(response.headers.get("location"), "/");
  assert.equal(response.headers.get("cache-control"), "no-store");
  const cookie = response.headers.get("set-cookie") ?? "";
  assert.match(cookie, /^espalier_\d+=.*; Path=\/; .*HttpOnly; SameSite=Strict$/);
  assert.equal(await statusOf(it.get("/", { cookie: cookie.split(";")[0] ?? "" })), 200);
  assert.equal(await statusOf(form(it, `${it.tokens.view}x`)), 401);
  const post = (body: string, headers: Record<string, string> = {}) =>
    statusOf(fetch(`${it.listener.url}/login`, { method: "POST", body, headers, redirect: "manual" }));
  assert.equal(await post(`token=${it.tokens.view}`), 400, "text is no form");
  const type = { "content-type": "application/x-www-form-urlencoded" };
  assert.equal(await post(`token=${it.tokens.view}&x=${"x".repeat(2_000)}`, type), 400, "too large");
});

withRig("a form of another page is refused, a browser's word of the same page is taken", async (it) => {
  const of = (headers: Record<string, string>) => statusOf(form(it, it.tokens.view, headers));
  assert.equal(await of({ origin: "https://evil.example" }), 403);
  assert.equal(await of({ origin: "null" }), 403);
  assert.equal(await of({ origin: "null", "sec-fetch-site": "cross-site" }), 403);
  assert.equal(await of({ "sec-fetch-site": "same-site" }), 403);
  // What browsers send of a form of a page that has no referrers.
  assert.equal(await of({ origin: "null", "sec-fetch-site": "same-origin" }), 303);
});

withRig("an upgrade that says `null` for its origin stays refused, whatever else it says", async (it) => {
  const head = `GET /socket HTTP/1.1
host: 127.0.0.1:${it.listener.port}
connection: Upgrade
upgrade: websocket
sec-websocket-version: 13
sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==
sec-websocket-protocol: espalier.1, espalier.token.${it.tokens.view}
origin: null
sec-fetch-site: same-origin`;
  assert.match(await raw(it, head), /^HTTP\/1\.1 403/);
});

withRig("wrong tokens come slowly from one address, and the next address is not slowed", async (it) => {
  for (let n = 0; n < LOGIN_BURST; n++) assert.equal(await statusOf(form(it, `wrong-${n}`)), 401);
  assert.equal(await statusOf(form(it, "wrong")), 429);
  assert.equal(await statusOf(it.get("/login?token=wrong")), 429);
  const desk = new LoginDesk(new TokenCheck(it.tokens), false);
  const tries = (address: string, nowMs: number) => desk.answer("wrong", address, "c", nowMs).status;
  for (let n = 0; n < LOGIN_BURST; n++) tries("a", 0);
  assert.equal(tries("a", 0), 429);
  assert.equal(tries("b", 0), 401);
  assert.equal(tries("a", 5_000), 401, "time gives a try back");
  assert.equal(desk.answer(it.tokens.view, "a", "c", 10_000).status, 303);
  // To look at the form is no try.
  for (let n = 0; n < 100; n++) assert.equal(desk.answer("", "c", "c", 0).status, 401);
  assert.equal(desk.answer("wrong", "c", "c", 0).status, 401);
});

withRig("no answer tells a token", async (it) => {
  const wrong = newTokens().admin;
  for (
    const path of [`/login?token=${wrong}`, `/nothing?token=${wrong}`, `/${wrong}`, `/socket?token=${wrong}`]
  ) {
    const response = await it.get(path);
    const told = JSON.stringify([...response.headers]) + await response.text();
    assert.ok(!told.includes(wrong), path);
  }
});

Deno.test("over TLS the cookie is bound to this host, and browsers are told to come by TLS alone", async () => {
  const { ca, cert, key } = makeCertificates();
  const it = new GatewayRig({ assets: [PAGE], tls: { cert, key } });
  const client = Deno.createHttpClient({ caCerts: [ca] });
  try {
    const response = await fetch(`${it.listener.url}/login?token=${it.tokens.view}`, {
      client,
      redirect: "manual",
    });
    await response.body?.cancel();
    assert.match(response.headers.get("set-cookie") ?? "", /^__Host-espalier_\d+=.*; Path=\/; .*Secure$/);
    assert.match(response.headers.get("strict-transport-security") ?? "", /^max-age=\d+$/);
  } finally {
    client.close();
    await it.end();
  }
});
