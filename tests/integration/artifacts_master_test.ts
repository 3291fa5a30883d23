/**
 * Artifacts through a master that is a process of its own: killed, started again, and on a disk that is full.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { openArtifactRoom } from "../../master/artifacts/artifact_room.ts";
import { artifactTransfer } from "../../shared/platform/artifact_transfer.ts";
import { writeAll } from "../../shared/platform/file_hash.ts";
import { hashOf, noise, Sender } from "../unit/artifacts/rig.ts";
import { ArtifactsRig } from "./artifacts_rig.ts";
import { withFleet } from "./fleet/fleet.ts";
import { mountSmallDisk } from "./fleet/small_disk.ts";

const BYTES = noise(2_000_000);
const SHA256 = hashOf(BYTES);
const REF = { sha256: SHA256, bytes: BYTES.byteLength };

withFleet("a master that is killed in the midst of an upload goes on from what it had", async (fleet) => {
  const master = await fleet.master();
  const token = fleet.token("worker");
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: fleet.port });
  const head = `PUT /artifacts/${SHA256} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\n` +
    `content-length: ${REF.bytes}\r\n\r\n`;
  await writeAll(connection, new TextEncoder().encode(head));
  await writeAll(connection, BYTES.subarray(0, 1_200_000));
  const part = `${fleet.data}/artifacts/unfinished/${SHA256}`;
  let there = 0;
  // The disk is the only one that tells.
  while (there < 1_000_000) there = await Deno.stat(part).then(({ size }) => size, () => 0);
  await master.kill();
  connection.close();
  await fleet.master();
  const offset = async () => {
    const headers = { authorization: `Bearer ${token}`, "content-range": `bytes */${REF.bytes}` };
    const response = await fetch(`${fleet.url}/artifacts/${SHA256}`, { method: "PUT", headers });
    await response.body?.cancel();
    return Number(response.headers.get("upload-offset"));
  };
  ok(await offset() >= there);
  const path = `${fleet.folder}/model`;
  await Deno.writeFile(path, BYTES);
  const transfer = artifactTransfer({ urls: [fleet.url], token });
  deepEqual(await transfer.put(path), REF);
  await transfer.get(REF, `${fleet.folder}/got`);
  deepEqual(await Deno.readFile(`${fleet.folder}/got`), BYTES);
});

withFleet(
  "a transfer that is under way when its master is killed ends well at the next one",
  async (fleet) => {
    const master = await fleet.master();
    const path = `${fleet.folder}/model`;
    const large = noise(60_000_000);
    await Deno.writeFile(path, large);
    const ref = { sha256: hashOf(large), bytes: large.byteLength };
    const transfer = artifactTransfer({ urls: [fleet.url], token: fleet.token("worker") });
    const putting = transfer.put(path);
    const part = `${fleet.data}/artifacts/unfinished/${ref.sha256}`;
    while (await Deno.stat(part).then(({ size }) => size === 0, () => true));
    await master.kill();
    await fleet.master();
    deepEqual(await putting, ref);
  },
);

withFleet(
  "a master removes what nothing names and what is old enough, of earlier lives too",
  async (fleet) => {
    const room = await openArtifactRoom({ folder: `${fleet.data}/artifacts` });
    await room.upload({ sha256: SHA256, total: REF.bytes, from: 0 }, new Sender(BYTES).end().body);
    await room.close();
    const path = `${fleet.data}/artifacts/${SHA256.slice(0, 2)}/${SHA256}`;
    const then = new Date(Date.now() - 7_200_000);
    await Deno.utime(path, then, then);
    await fleet.master({ unusedArtifactMs: 1_000 });
    while (await Deno.stat(path).then(() => true, () => false));
    const response = await fetch(`${fleet.url}/artifacts/${SHA256}`, {
      headers: { authorization: `Bearer ${fleet.token("view")}` },
    });
    equal(response.status, 404);
    match(await response.text(), /no such artifact/);
  },
);

withFleet("a master that is told to stop does not wait for a transfer", async (fleet) => {
  const master = await fleet.master();
  const token = fleet.token("worker");
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: fleet.port });
  const head = `PUT /artifacts/${SHA256} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\n` +
    `content-length: ${REF.bytes}\r\n\r\nx`;
  await writeAll(connection, new TextEncoder().encode(head));
  while (!await Deno.stat(`${fleet.data}/artifacts/unfinished/${SHA256}`).then(() => true, () => false));
  master.signal("SIGTERM");
  await master.ended();
  connection.close();
}, { timeout: 20_000 });

Deno.test(
  "a full disk is an answer, and the upload goes on once there is room",
  { timeout: 30_000 },
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "espalier-disk-" });
    const disk = await mountSmallDisk(folder, "8m");
    if (disk === undefined) return await Deno.remove(folder, { recursive: true });
    const it = await ArtifactsRig.open({ folder: `${folder}/artifacts` });
    try {
      await disk.fill();
      const path = await it.file("model", BYTES);
      const headers = { "content-range": `bytes 0-${REF.bytes - 1}/${REF.bytes}` };
      const token = it.tokens.worker;
      const full = await it.ask(`/artifacts/${SHA256}`, { method: "PUT", token, headers, body: BYTES });
      equal(full.status, 507);
      match(new TextDecoder().decode(full.bytes), /disk has 0 bytes left/);
      equal((await it.ask("/health")).status, 200);
      const putting = it.transfer().put(path);
      await disk.makeRoom();
      deepEqual(await putting, REF);
      // What rests of another upload makes way.
      const left = "0".repeat(64);
      const sending = new Sender(noise(4_000_000, 5)).end().body;
      deepEqual(await it.room.upload({ sha256: left, total: 4_500_000, from: 0 }, sending), {
        state: "unfinished",
        from: 4_000_000,
      });
      const total = 3_000_000;
      const hasNoRoom = await it.room.offer("1".repeat(64), total);
      ok(hasNoRoom.state === "refused" && hasNoRoom.reason === "no_room", JSON.stringify(hasNoRoom));
      const then = new Date(Date.now() - 3_600_000);
      await Deno.utime(it.room.folder.unfinishedPath(left), then, then);
      deepEqual(await it.room.offer("1".repeat(64), total), { state: "unfinished", from: 0 });
      // What others take while an upload goes on is an answer too.
      const other = noise(3_000_000, 3);
      const sender = new Sender(other.slice(0, 100_000));
      const uploading = it.room.upload(
        { sha256: hashOf(other), total: other.byteLength, from: 0 },
        sender.body,
      );
      const part = it.room.folder.unfinishedPath(hashOf(other));
      while (await Deno.stat(part).then(({ size }) => size < 100_000, () => true));
      await disk.fill();
      sender.send(other.slice(100_000));
      sender.end();
      const answer = await uploading;
      ok(answer.state === "refused" && answer.reason === "no_room", JSON.stringify(answer));
      match(answer.message, /[Nn]o space/);
      await disk.makeRoom();
    } finally {
      await it.end();
      await disk.unmount();
      await Deno.remove(folder, { recursive: true });
    }
  },
);
