/**
 * Floods, while an honest worker and an honest client go on.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { encode } from "../../shared/protocol/codec.ts";
import { CLOSE } from "../../shared/protocol/limits.ts";
import { withFleet } from "./fleet/fleet.ts";
import type { Word } from "./fleet/member.ts";
import { Peer, registration, upgradeStatus } from "./fleet/peer.ts";
import { Bystanders, RawPeer, times, upgradeHead, webSocketFrame } from "./hostile_rig.ts";

/** Viewers that never read: at their limits they are owed some 130 MB together. */
const DEAF = 4;
const EPOCH = `${"a".repeat(32)}.1.${"b".repeat(8)}`;
/** So many workers that are gone and hold nothing are remembered, and then some that are not yet forgotten. */
const REMEMBERED_MAX = 1_000;

withFleet("workers under ever new names are forgotten, the longest gone first", async (fleet) => {
  const it = await Bystanders.start(fleet);
  const fact = "x".repeat(256);
  await it.during(() =>
    times(1_400, 20, async (index) => {
      const peer = new Peer(fleet.url, fleet.token("worker"));
      // Some of them are told to come later.
      if (!await peer.opened) return;
      const { facts, ...words } = registration(`flood-${index}`);
      peer.say({ ...words, facts: { ...facts, hostname: fact, os: fact, software: fact } });
      await peer.until(({ type }) => type === "welcome");
      await peer.close();
    })
  );
  let known = Infinity;
  for (let asked = 0; known > REMEMBERED_MAX + 1 && asked < 1_000; asked++) {
    known = (await it.client.workers()).length;
  }
  ok(known <= REMEMBERED_MAX + 1, `${known} workers are remembered`);
});

withFleet(
  "workers that bring tens of thousands of leases that never were are told to stop each",
  async (fleet) => {
    const it = await Bystanders.start(fleet);
    const leases = Array.from({ length: 30_000 }, (_, index) => (
      { epoch: EPOCH, task: `x/${index + 1}`, attempt: 1, state: "running", elapsedMs: 1 }
    ));
    await it.during(() =>
      times(10, 2, async (index) => {
        const peer = new Peer(fleet.url, fleet.token("worker"));
        ok(await peer.opened);
        peer.say(registration(`hoarder-${index}`, leases));
        const welcome = await peer.until(({ type }) => type === "welcome");
        const keep = welcome["keep"];
        ok(Array.isArray(keep) && keep.length === leases.length && !keep.includes(true));
        await peer.close();
      })
    );
  },
);

withFleet(
  "results and reports of leases that never were are answered, and slow down nobody",
  async (fleet) => {
    const it = await Bystanders.start(fleet);
    const peer = new Peer(fleet.url, fleet.token("worker"));
    ok(await peer.opened);
    peer.say(registration("liar"));
    await peer.until(({ type }) => type === "welcome");
    const end = { state: "completed", metrics: { loss: 0 } };
    await it.during(async () => {
      for (let round = 0; round < 20; round++) {
        const lease = { epoch: EPOCH, attempt: 1 };
        const tasks = Array.from({ length: 500 }, (_, index) => `r${round}/${index + 1}`);
        peer.say(
          ...tasks.map((task) => ({
            type: "report",
            ...lease,
            task,
            number: 1,
            step: 1,
            metrics: { loss: 0 },
          })),
          ...tasks.map((task) => ({ type: "result", ...lease, task, end, elapsedMs: 1 })),
        );
        const answer = await peer.until((each) =>
          each["type"] === "acknowledge" && each["task"] === tasks.at(-1)
        );
        equal(answer["verdict"], "unknown");
      }
    });
    await peer.close();
  },
);

withFleet(
  "upgrades with wrong tokens, half requests and bytes that trickle keep nobody out",
  async (fleet) => {
    const it = await Bystanders.start(fleet);
    const head = upgradeHead(fleet.url, fleet.token("view"));
    const halves: RawPeer[] = [];
    await it.during(async () => {
      await times(400, 20, async (index) => {
        const peer = await RawPeer.connect(fleet.url);
        halves.push(peer);
        await peer.write(head.slice(0, (index * 7) % (head.length - 1)));
      });
      await times(500, 20, async () => {
        const protocols = `espalier.1, espalier.token.${"x".repeat(43)}`;
        equal(await upgradeStatus(fleet.url, { "sec-websocket-protocol": protocols }), 401);
      });
      // A byte at a time is slow, and no reason to be refused.
      using slow = await RawPeer.connect(fleet.url);
      for (const letter of head) await slow.write(letter);
      ok((await slow.read()).includes(" 101 "));
    });
    for (const peer of halves) peer[Symbol.dispose]();
  },
);

withFleet(
  "a master that is out of file handles goes on, and lets people in again when there are some",
  async (fleet) => {
    const it = await Bystanders.start(fleet, "ulimit -n 256");
    const halves: RawPeer[] = [];
    await it.during(() =>
      times(400, 20, async () => {
        // While there are no handles, nobody gets in.
        const peer = await RawPeer.connect(fleet.url).catch(() => undefined);
        if (peer === undefined) return;
        halves.push(peer);
        await peer.write("GET /health HTTP/1.1\r\n").catch(() => {});
      })
    );
    await it.master.until(({ log }) => log?.includes("no connection can be taken now") === true);
    for (const peer of halves) peer[Symbol.dispose]();
    for (let isIn = false; !isIn;) {
      const late = new Peer(fleet.url, fleet.token("view"));
      isIn = await late.opened;
      await late.close();
    }
  },
);

withFleet("sessions that never speak are closed in time, and may come again", async (fleet) => {
  const it = await Bystanders.start(fleet);
  await it.during(async () => {
    const silent = Array.from({ length: 200 }, () => new Peer(fleet.url, fleet.token("worker")));
    for (const peer of silent) if (await peer.opened) equal(await peer.closed, CLOSE.silent.code);
  });
});

withFleet("viewers that never read are owed no more than a limit, and then closed", async (fleet) => {
  const it = await Bystanders.start(fleet);
  // Each answer names them all: some 200 KB.
  const fact = "x".repeat(256);
  await times(150, 10, async (index) => {
    const peer = new Peer(fleet.url, fleet.token("worker"));
    ok(await peer.opened);
    const { facts, ...words } = registration(`gone-${index}`);
    peer.say({ ...words, facts: { ...facts, hostname: fact, os: fact, arch: fact, software: fact } });
    await peer.until(({ type }) => type === "welcome");
    await peer.close();
  });
  const asked = webSocketFrame(
    2,
    encode(
      Array.from({ length: 60 }, (_, n) => ({ type: "command", id: `c${n}`, command: { kind: "workers" } })),
    ),
  );
  const deaf: RawPeer[] = [];
  await it.during(async () => {
    for (let n = 0; n < DEAF; n++) deaf.push(await RawPeer.upgraded(fleet.url, fleet.token("view")));
    // Unlimited, they would be owed a gigabyte and more. Whoever is closed meanwhile cannot ask any more.
    for (let round = 0; round < 30; round++) {
      await Promise.all(deaf.map((viewer) => viewer.write(asked).catch(() => {})));
    }
    const isClosed = ({ log }: Word) => log?.includes("it does not read what it is sent") === true;
    while (it.master.words.filter(isClosed).length < DEAF) {
      const seen = it.master.words.length;
      await it.master.until((word) => it.master.words.indexOf(word) >= seen && isClosed(word));
    }
  }, 600);
  for (const peer of deaf) peer[Symbol.dispose]();
});

withFleet("pings and text without end cost nobody else anything", async (fleet) => {
  const it = await Bystanders.start(fleet);
  const ping = webSocketFrame(9, new Uint8Array(125));
  const pings = new Uint8Array(ping.length * 1_000);
  for (let at = 0; at < pings.length; at += ping.length) pings.set(ping, at);
  const pingers: RawPeer[] = [];
  await it.during(async () => {
    for (let n = 0; n < 5; n++) {
      const peer = await RawPeer.upgraded(fleet.url, fleet.token("view"));
      pingers.push(peer);
      // What the peer does not read, the master does not answer: it stops reading as well, and this stays unwritten.
      void (async () => {
        for (let round = 0; round < 200; round++) await peer.write(pings);
      })().catch(() => {});
    }
    for (let n = 0; n < 50; n++) {
      const peer = new Peer(fleet.url, fleet.token("admin"));
      ok(await peer.opened);
      peer.sayRaw("x".repeat(100_000));
      equal(await peer.closed, CLOSE.malformed.code);
    }
  });
  for (const peer of pingers) peer[Symbol.dispose]();
});
