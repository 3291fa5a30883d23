import assert from "node:assert/strict";
import { webSocketDialer } from "../../../shared/platform/web_socket_dialer.ts";
import { mayReturn, SUBPROTOCOL } from "../../../shared/protocol/limits.ts";
import type { SocketEvent, SocketPort } from "../../../shared/protocol/socket_port.ts";
import { socketUrl } from "../../../worker/start_url.ts";

/** A server that knows one token and sends back what it hears. */
function echo(): { readonly url: string; readonly close: () => Promise<void> } {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    if (request.headers.get("authorization") !== "Bearer good") return new Response("no", { status: 401 });
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: SUBPROTOCOL });
    socket.onmessage = ({ data }) => {
      if (new Uint8Array(data)[0] === 0) socket.close(4104, "rival");
      else socket.send(data);
    };
    return response;
  });
  return { url: `ws://127.0.0.1:${server.addr.port}/socket`, close: () => server.shutdown() };
}

/** Dials, lets `act` act on what comes, and answers with all of it once the connection is closed. */
function talk(
  url: string,
  token: string,
  act: (event: SocketEvent, port: SocketPort | undefined) => void,
): Promise<SocketEvent[]> {
  const { promise, resolve } = Promise.withResolvers<SocketEvent[]>();
  const heard: SocketEvent[] = [];
  let port: SocketPort | undefined;
  webSocketDialer().dial(url, token, (event) => {
    heard.push(event);
    if (event.type === "opened") port = event.port;
    act(event, port);
    if (event.type === "closed") resolve(heard);
  });
  return promise;
}

Deno.test("frames go out and come in as bytes, and the close is told once", async () => {
  const server = echo();
  const heard = await talk(server.url, "good", (event, port) => {
    if (event.type === "opened") port?.send(new Uint8Array([1, 2, 3]));
    if (event.type === "frame") {
      assert.deepEqual([...event.bytes], [1, 2, 3]);
      port?.send(new Uint8Array([0]));
    }
  });
  await server.close();
  assert.deepEqual(heard.map((event) => event.type), ["opened", "frame", "closed"]);
  const last = heard.at(-1);
  assert(last?.type === "closed" && last.code === 4104 && last.reason === "rival");
});

Deno.test("closing twice and with a long reason is harmless", async () => {
  const server = echo();
  const heard = await talk(server.url, "good", (event, port) => {
    if (event.type !== "opened") return;
    port?.close(4000, "ä".repeat(100));
    port?.close(4000, "again");
    port?.send(new Uint8Array([1]));
  });
  await server.close();
  assert.deepEqual(heard.map((event) => event.type), ["opened", "closed"]);
});

Deno.test("a token that is not known looks like a close with unauthorized", async () => {
  const server = echo();
  const heard = await talk(server.url, "bad", () => {});
  await server.close();
  const [closed] = heard;
  assert(heard.length === 1 && closed?.type === "closed" && closed.code === 4103);
  assert.match(closed.reason, /does not accept this token/);
});

Deno.test("a proxy without its master, or a name that the master does not know, is told in words and tried again", async () => {
  for (const [status, words] of [[404, /another web server/], [421, /--host-name/]] as const) {
    const server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      () => new Response("no", { status }),
    );
    const [closed] = await talk(`ws://127.0.0.1:${server.addr.port}/socket`, "good", () => {});
    await server.shutdown();
    assert(closed?.type === "closed" && mayReturn(closed.code), `${status}`);
    assert.match(closed.reason, words);
  }
});

Deno.test("an address where nobody listens, or that is none, is one close", async () => {
  const [refused] = await talk("ws://127.0.0.1:1/socket", "good", () => {});
  assert(refused?.type === "closed" && refused.code < 4000 && refused.reason !== "");
  const [wrong] = await talk("nonsense://x", "good", () => {});
  assert(wrong?.type === "closed" && wrong.reason.includes("ws & wss"));
});

Deno.test("addresses of masters are taken as people write them", () => {
  const cases = {
    "gpu1:4100": "ws://gpu1:4100/socket",
    "http://10.0.0.1:80/": "ws://10.0.0.1/socket",
    "https://search.example.org": "wss://search.example.org/socket",
    "wss://example.org/espalier/": "wss://example.org/espalier/socket",
    "ws://[::1]:4100/socket": "ws://[::1]:4100/socket",
  };
  for (const [address, url] of Object.entries(cases)) assert.equal(socketUrl(address), url);
  for (const address of ["", "ftp://host", "://", "a b:1"]) {
    assert.throws(() => socketUrl(address), /no address of a master/);
  }
});
