import assert from "node:assert/strict";
import { System } from "../../../shared/actor/system.ts";
import { RealLoop } from "../../../shared/platform/real_loop.ts";

Deno.test("a timer never fires early", async () => {
  const loop = new RealLoop();
  const dueMs = Array.from({ length: 50 }, (_, i) => loop.now() + i / 3);
  await Promise.all(dueMs.map((due) =>
    new Promise<void>((resolve) =>
      loop.timer(due - loop.now(), () => {
        assert.ok(loop.now() >= due, `${due - loop.now()} ms early`);
        resolve();
      })
    )
  ));
});

Deno.test("a timer longer than the platform's 2^31 ms does not fire at once, and can be cancelled", async () => {
  const loop = new RealLoop();
  let fired = false;
  const cancels = [2 ** 31, 2 ** 40, Infinity].map((delayMs) => loop.timer(delayMs, () => fired = true));
  await new Promise<void>((resolve) => loop.timer(5, resolve));
  assert.equal(fired, false);
  for (const cancel of cancels) cancel();
});

Deno.test("soon calls after the present work and before anything from outside", async () => {
  const loop = new RealLoop();
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    loop.timer(0, () => {
      seen.push("timer");
      resolve();
    });
    loop.soon(() => seen.push("soon"));
    seen.push("present");
  });
  assert.deepEqual(seen, ["present", "soon", "timer"]);
});

Deno.test("actors that never rest let sockets be read and timers fire", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const server = await listener.accept();
  const ended = Promise.withResolvers<string[]>();
  const seen: string[] = [];
  const system = new System(new RealLoop(), "seed", { rootExited: () => ended.resolve(seen) });
  const root = system.start<string>("root", (context) => {
    context.spawn<string>("restless", (own) => {
      own.send(own.self, "again");
      return { receive: (message) => own.send(own.self, message) };
    });
    context.after(1, "timer");
    return {
      receive: (message) => {
        seen.push(message);
        if (seen.length === 2) context.exit();
      },
    };
  });
  const bytes = new Uint8Array(16);
  const read = server.read(bytes).then((count) =>
    system.post(root, new TextDecoder().decode(bytes.subarray(0, count ?? 0)))
  );
  await client.write(new TextEncoder().encode("socket"));
  assert.deepEqual((await ended.promise).toSorted(), ["socket", "timer"]);
  await read;
  for (const open of [client, server, listener]) open.close();
});
