/**
 * No token is said to another machine in plain text: not by a worker that is started, not by the dialer itself.
 *
 * @module
 */
import assert from "node:assert/strict";
import { webSocketDialer } from "../../shared/platform/web_socket_dialer.ts";
import { startWorker } from "../../worker/start.ts";
import { GatewayRig } from "./gateway_rig.ts";

Deno.test("a worker does not begin where a token would travel in the clear", async () => {
  const dataFolder = await Deno.makeTempDir();
  const options = { token: "t", dataFolder, executors: [], log: () => {} };
  const worker = startWorker({ ...options, masters: ["https://gpu1:4400", "http://gpu2:4400"] });
  await assert.rejects(worker.stopped, /gpu2:4400 is another machine.*--insecure/);
  await Deno.remove(dataFolder, { recursive: true });
});

Deno.test("the dialer sends nothing to what is not loopback, unless it is told to", async () => {
  const it = new GatewayRig({ hostname: "127.0.0.1", names: ["0.0.0.0"] });
  try {
    await it.until(() => it.cluster.length > 0);
    // No name of this machine alone, and the system leads it to this machine all the same.
    const url = it.socketUrl.replace("127.0.0.1", "0.0.0.0");
    const end = (insecure: boolean) =>
      new Promise<string>((resolve) => {
        webSocketDialer({ insecure }).dial(url, it.tokens.view, (event) => {
          if (event.type === "opened") event.port.close(1000, "bye");
          if (event.type === "closed") resolve(`${event.code} ${event.reason}`);
        });
      });
    assert.match(await end(false), /^0 .*in the clear/);
    assert.doesNotMatch(await end(true), /in the clear/);
  } finally {
    await it.end();
  }
});

Deno.test("each dial reads the token anew, and one that cannot be read is as it was", async () => {
  const it = new GatewayRig();
  try {
    await it.until(() => it.cluster.length > 0);
    const read: (() => Promise<string | undefined>)[] = [
      () => Promise.resolve(it.tokens.view),
      () => Promise.resolve(undefined),
      () => Promise.reject(new Error("no file")),
    ];
    const codes: number[] = [];
    for (const [index, freshToken] of read.entries()) {
      const first = index === 0 ? "wrong" : it.tokens.view;
      for (let isOpen = false; !isOpen;) {
        const code = await new Promise<number>((resolve) => {
          webSocketDialer({ freshToken }).dial(it.socketUrl, first, (event) => {
            if (event.type === "opened") event.port.close(1000, "bye");
            if (event.type === "closed") resolve(event.code);
          });
        });
        // The door opens a moment after the listener.
        isOpen = code !== 4004;
        if (isOpen) codes.push(code);
      }
    }
    assert.ok(codes.every((code) => code < 4000), `${codes}`);
  } finally {
    await it.end();
  }
});
