import { deepEqual, equal, match, rejects } from "node:assert/strict";
import type { ArtifactRoom } from "../../../master/artifacts/artifact_room.ts";
import { Cleaning, type CleaningOptions } from "../../../master/artifacts/cleaning.ts";
import { keep, noise, Sender, withRoom } from "./rig.ts";

const HOUR_MS = 3_600_000;

function cleaning(room: ArtifactRoom, options: Partial<CleaningOptions> = {}): Cleaning {
  return new Cleaning({ room, used: () => Promise.resolve(new Set()), log: () => {}, ...options });
}

/** As if it had been kept two days ago. */
function age(room: ArtifactRoom, sha256: string): void {
  const then = new Date(Date.now() - 48 * HOUR_MS);
  Deno.utimeSync(room.folder.path(sha256), then, then);
}

withRoom("what nothing names is removed once it is old; what is named or young stays", async (room) => {
  const [used, unused, young] = await Promise.all([1, 2, 3].map((seed) => keep(room, noise(1_000, seed))));
  age(room, used?.sha256 ?? "");
  age(room, unused?.sha256 ?? "");
  const asked: string[] = [];
  const cleaned = await cleaning(room, {
    used: (hashes) => {
      asked.push(...hashes);
      return Promise.resolve(new Set([used?.sha256 ?? ""]));
    },
  }).clean();
  deepEqual(cleaned, { artifacts: 1, bytes: 1_000, uploads: 0 });
  deepEqual(asked.toSorted(), [used?.sha256, unused?.sha256].toSorted());
  equal(await room.sizeOf(used?.sha256 ?? ""), 1_000);
  equal(await room.sizeOf(unused?.sha256 ?? ""), undefined);
  equal(await room.sizeOf(young?.sha256 ?? ""), 1_000);
});

withRoom(
  "what is offered again while the store is asked stays, although the store does not know it",
  async (room) => {
    const bytes = noise(1_000);
    const { sha256 } = await keep(room, bytes);
    age(room, sha256);
    const cleaned = await cleaning(room, {
      used: async () => {
        deepEqual(await room.offer(sha256, bytes.byteLength), { state: "there" });
        return new Set();
      },
    }).clean();
    equal(cleaned.artifacts, 0);
    equal(await room.sizeOf(sha256), 1_000);
  },
);

withRoom("where the store cannot say what is needed, all stays, and it is told", async (room) => {
  const { sha256 } = await keep(room, noise(1_000));
  age(room, sha256);
  const told = Promise.withResolvers<string>();
  const each = cleaning(room, {
    used: () => Promise.reject(new Error("the disk is full")),
    everyMs: 250,
    log: (level, text) => told.resolve(`${level} ${text}`),
  });
  await rejects(each.clean(), /the disk is full/);
  each.begin();
  match(await told.promise, /warning .* not removed now: the disk is full/);
  await each.end();
  equal(await room.sizeOf(sha256), 1_000);
});

withRoom("a checkpoint that another one replaced goes soon, and one that is named stays", async (room) => {
  const [replaced, named, unnamed] = await Promise.all(
    [1, 2, 3].map((seed) => keep(room, noise(1_000, seed))),
  );
  const each = cleaning(room, {
    used: () => Promise.resolve(new Set([named?.sha256 ?? ""])),
    replacedEveryMs: 1_000,
  });
  for (const checkpoint of [replaced, named]) each.checkpointNamed(checkpoint?.sha256 ?? "");
  deepEqual(await each.cleanReplaced(), { artifacts: 0, bytes: 0, uploads: 0 });
  for (const { sha256 } of [replaced, named, unnamed].flatMap((ref) => ref ?? [])) age(room, sha256);
  deepEqual(await each.cleanReplaced(), { artifacts: 1, bytes: 1_000, uploads: 0 });
  equal(await room.sizeOf(replaced?.sha256 ?? ""), undefined);
  equal(await room.sizeOf(named?.sha256 ?? ""), 1_000);
  equal(await room.sizeOf(unnamed?.sha256 ?? ""), 1_000);
});

withRoom("over a store that may be an older copy nothing is removed", async (room) => {
  const { sha256 } = await keep(room, noise(1_000));
  age(room, sha256);
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<ReadonlySet<string>>();
  const each = cleaning(room, {
    used: () => {
      asked.resolve();
      return answer.promise;
    },
  });
  const clean = each.clean();
  await asked.promise;
  each.hold();
  answer.resolve(new Set());
  equal((await clean).artifacts, 0);
  equal((await each.clean()).artifacts, 0);
  equal(await room.sizeOf(sha256), 1_000);
});

withRoom(
  "what workers kept before the master's start is not removed before they can name it",
  async (room) => {
    const { sha256 } = await keep(room, noise(1_000));
    age(room, sha256);
    const named = new Set<string>();
    const asked = Promise.withResolvers<void>();
    const each = cleaning(room, {
      used: () => {
        asked.resolve();
        return Promise.resolve(named);
      },
      everyMs: 250,
    });
    each.begin();
    named.add(sha256);
    await asked.promise;
    await each.end();
    equal(await room.sizeOf(sha256), 1_000);
  },
);

withRoom("an upload that nobody continued is forgotten after a while, and no sooner", async (room) => {
  const sha256 = "ab".repeat(32);
  await room.upload({ sha256, total: 5_000, from: 0 }, new Sender(noise(100)).end().body);
  equal((await cleaning(room).clean()).uploads, 0);
  deepEqual(await room.offer(sha256, 5_000), { state: "unfinished", from: 100 });
  equal((await cleaning(room, { unfinishedMs: -1_000 }).clean()).uploads, 1);
  deepEqual(await room.offer(sha256, 5_000), { state: "unfinished", from: 0 });
});

withRoom("a cleaning ends although the store owes it an answer", async (room) => {
  const { sha256 } = await keep(room, noise(1_000));
  age(room, sha256);
  const asked = Promise.withResolvers<void>();
  const each = cleaning(room, {
    used: () => {
      asked.resolve();
      return new Promise(() => {});
    },
    everyMs: 250,
  });
  each.begin();
  await asked.promise;
  await each.end();
  equal(await room.sizeOf(sha256), 1_000);
});
