import { deepEqual, equal, match, ok } from "node:assert/strict";
import { openArtifactRoom } from "../../../master/artifacts/artifact_room.ts";
import type { UploadAnswer } from "../../../master/artifacts/room_answers.ts";
import { hashOf, keep, noise, readAll, Sender, withRoom } from "./rig.ts";

const BYTES = noise(1_000_000);
const SHA256 = hashOf(BYTES);
const TOTAL = BYTES.byteLength;

/** The message of a refusal. */
function refused(answer: UploadAnswer, reason: string): string {
  ok(answer.state === "refused" && answer.reason === reason, JSON.stringify(answer));
  return answer.message;
}

withRoom("what was kept is read back whole, and is there without being sent again", async (room) => {
  deepEqual((await keep(room, BYTES)).answer, { state: "kept" });
  deepEqual(await readAll(room, SHA256), BYTES);
  deepEqual(await room.offer(SHA256, TOTAL), { state: "there" });
  const again = new Sender();
  deepEqual(await room.upload({ sha256: SHA256, total: TOTAL, from: 0 }, again.body), { state: "there" });
  ok(again.isCancelled);
  equal(await room.sizeOf(hashOf(noise(3))), undefined);
});

withRoom("a body of any kind of stream is taken", async (room) => {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => {
      controller.enqueue(BYTES.slice(0, 700_000));
      controller.enqueue(BYTES.slice(700_000));
      controller.close();
    },
  });
  deepEqual(await room.upload({ sha256: SHA256, total: TOTAL, from: 0 }, body), { state: "kept" });
  deepEqual(await readAll(room, SHA256), BYTES);
});

withRoom("an artifact of no bytes is one", async (room) => {
  const sha256 = hashOf(new Uint8Array());
  deepEqual(await room.offer(sha256, 0), { state: "kept" });
  equal(await room.sizeOf(sha256), 0);
});

withRoom("bytes with another hash are refused, and nothing is left of them", async (room, folder) => {
  const wrong = BYTES.with(77, 0);
  const answer = await room.upload({ sha256: SHA256, total: TOTAL, from: 0 }, new Sender(wrong).end().body);
  match(refused(answer, "wrong_hash"), /do not have the hash .* did the file change/);
  equal(await room.sizeOf(SHA256), undefined);
  deepEqual([...Deno.readDirSync(`${folder}/unfinished`)], []);
  deepEqual((await keep(room, BYTES)).answer, { state: "kept" });
});

withRoom(
  "a broken upload is continued from where it was, also by a room that is opened anew",
  async (room, folder) => {
    const ask = { sha256: SHA256, total: TOTAL };
    const first = new Sender(BYTES.subarray(0, 300_000));
    const uploading = room.upload({ ...ask, from: 0 }, first.body);
    first.break();
    await uploading;
    const offer = await room.offer(SHA256, TOTAL);
    ok(offer.state === "unfinished");
    // A stream that breaks loses what nobody has read of it.
    const { from } = offer;
    const second = new Sender(BYTES.subarray(from, 600_000)).end();
    deepEqual(await room.upload({ ...ask, from }, second.body), { state: "unfinished", from: 600_000 });
    await room.close();
    const later = await openArtifactRoom({ folder });
    const wrongPlace = await later.upload(
      { ...ask, from: 500_000 },
      new Sender(BYTES.subarray(500_000)).end().body,
    );
    match(refused(wrongPlace, "offset"), /600000 bytes of this upload are there/);
    deepEqual(await later.upload({ ...ask, from: 600_000 }, new Sender(BYTES.subarray(600_000)).end().body), {
      state: "kept",
    });
    deepEqual(await readAll(later, SHA256), BYTES);
    await later.close();
  },
);

withRoom("a beginning that was wrong costs one refusal, and the next upload begins anew", async (room) => {
  const ask = { sha256: SHA256, total: TOTAL };
  await room.upload({ ...ask, from: 0 }, new Sender(noise(400_000, 9)).end().body);
  const rest = new Sender(BYTES.subarray(400_000)).end();
  refused(await room.upload({ ...ask, from: 400_000 }, rest.body), "wrong_hash");
  deepEqual(await room.offer(SHA256, TOTAL), { state: "unfinished", from: 0 });
});

withRoom("a longer rest of another upload never becomes part of an artifact", async (room) => {
  const ask = { sha256: SHA256, from: 0 };
  await room.upload({ ...ask, total: TOTAL * 2 }, new Sender(BYTES, noise(1_000, 5)).end().body);
  const offer = await room.offer(SHA256, TOTAL);
  deepEqual(offer, { state: "kept" });
  deepEqual(await readAll(room, SHA256), BYTES);
});

withRoom("more bytes than were said are refused, and nothing is left of them", async (room) => {
  const ask = { sha256: SHA256, total: 1_000, from: 0 };
  refused(await room.upload(ask, new Sender(BYTES).end().body), "wrong_size");
  deepEqual(await room.offer(SHA256, TOTAL), { state: "unfinished", from: 0 });
});

withRoom(
  "while an artifact is uploaded, another upload of it waits its turn, and others go on",
  async (room) => {
    const ask = { sha256: SHA256, total: TOTAL, from: 0 };
    const first = new Sender(BYTES.subarray(0, 10));
    const uploading = room.upload(ask, first.body);
    let other: UploadAnswer;
    // Until the first has taken its place.
    do other = await room.offer(SHA256, TOTAL); while (other.state !== "refused");
    match(refused(other, "under_way"), /ask again/);
    const second = new Sender();
    refused(await room.upload(ask, second.body), "under_way");
    ok(second.isCancelled);
    deepEqual((await keep(room, noise(5_000, 3))).answer, { state: "kept" });
    first.send(BYTES.subarray(10));
    first.end();
    deepEqual(await uploading, { state: "kept" });
    deepEqual(await room.offer(SHA256, TOTAL), { state: "there" });
  },
);

withRoom("a silent upload makes way for the next one, which goes on from what it brought", async (room) => {
  const ask = { sha256: SHA256, total: TOTAL };
  const silent = new Sender(BYTES.subarray(0, 100_000));
  const uploading = room.upload({ ...ask, from: 0 }, silent.body);
  let offer: UploadAnswer;
  do offer = await room.offer(SHA256, TOTAL); while (offer.state !== "unfinished" || offer.from === 0);
  equal(offer.from, 100_000);
  deepEqual(
    await room.upload({ ...ask, from: 100_000 }, new Sender(BYTES.subarray(100_000)).end().body),
    { state: "kept" },
  );
  refused(await uploading, "stalled");
}, { giveWayAfterMs: 0 });

withRoom("an upload and a download that stand still are ended, and what came is kept", async (room) => {
  const { sha256 } = await keep(room, noise(600_000, 4));
  const body = await room.read(sha256, { from: 0, bytes: 600_000 });
  ok(body !== undefined && !("state" in body));
  const sender = new Sender(BYTES.subarray(0, 5_000));
  const answer = await room.upload({ sha256: SHA256, total: TOTAL, from: 0 }, sender.body);
  match(refused(answer, "stalled"), /nothing came for 0.1 s/);
  deepEqual(await room.offer(SHA256, TOTAL), { state: "unfinished", from: 5_000 });
  let problem = "";
  try {
    for await (const _ of body);
  } catch (error) {
    problem = String(error);
  }
  match(problem, /nothing was taken for too long/);
}, { idleMs: 100 });

withRoom(
  "an artifact over the limit, and one too many for all of them, are refused before a byte is read",
  async (room) => {
    const large = new Sender();
    const tooLarge = await room.upload({ sha256: SHA256, total: 2_000_001, from: 0 }, large.body);
    match(refused(tooLarge, "too_large"), /2000000 bytes .* --artifact-limit/);
    ok(large.isCancelled);
    deepEqual((await keep(room, BYTES)).answer, { state: "kept" });
    const { answer, sha256 } = await keep(room, noise(1_600_000, 2));
    match(refused(answer, "no_room"), /may keep 2500000: see --artifacts-limit/);
    const removed = await room.removeUntouched(SHA256, Date.now() + 1_000);
    equal(removed, TOTAL);
    deepEqual(await room.offer(sha256, 1_600_000), { state: "unfinished", from: 0 });
  },
  { artifactBytesMax: 2_000_000, artifactsBytesMax: 2_500_000 },
);

withRoom(
  "of uploads that nobody continues the oldest is forgotten where there are too many",
  async (room) => {
    const begun = [1, 2, 3, 4].map((digit) => String(digit).repeat(64));
    for (const [index, sha256] of begun.entries()) {
      await room.upload({ sha256, total: 5_000, from: 0 }, new Sender(noise(100)).end().body);
      const then = new Date(Date.now() - 60_000 + index);
      Deno.utimeSync(room.folder.unfinishedPath(sha256), then, then);
    }
    const offers = await Promise.all(begun.map((sha256) => room.offer(sha256, 5_000)));
    deepEqual(offers.map((offer) => offer.state === "unfinished" && offer.from), [0, 100, 100, 100]);
  },
  { unfinishedMax: 3 },
);

withRoom("no more transfers go on at a time than there may be", async (room) => {
  const sender = new Sender(BYTES.subarray(0, 10));
  const uploading = room.upload({ sha256: SHA256, total: TOTAL, from: 0 }, sender.body);
  let offer: UploadAnswer;
  do offer = await room.offer(SHA256, TOTAL); while (offer.state !== "refused");
  refused((await keep(room, noise(10, 8))).answer, "busy");
  sender.send(BYTES.subarray(10));
  sender.end();
  await uploading;
  const range = { from: 0, bytes: TOTAL };
  const first = await room.read(SHA256, range);
  const second = await room.read(SHA256, range);
  ok(second !== undefined && "state" in second && second.reason === "busy");
  ok(first !== undefined && !("state" in first));
  await first.cancel();
  deepEqual(await readAll(room, SHA256), BYTES);
}, { uploadsMax: 1, downloadsMax: 1 });

withRoom("a room that closes ends its transfers and takes no more", async (room) => {
  const sender = new Sender(BYTES.subarray(0, 10));
  const uploading = room.upload({ sha256: SHA256, total: TOTAL, from: 0 }, sender.body);
  while ((await room.offer(SHA256, TOTAL)).state !== "refused");
  await room.close();
  match(refused(await uploading, "busy"), /the master stops/);
  refused(await room.offer(SHA256, TOTAL), "busy");
});
