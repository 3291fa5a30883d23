/**
 * A room of artifacts in a folder of its own, and bodies that a test sends bit by bit.
 *
 * @module
 */
import { createHash } from "node:crypto";
import {
  type ArtifactRoom,
  openArtifactRoom,
  type RoomOptions,
} from "../../../master/artifacts/artifact_room.ts";

/** A test with a room that is put away after it. */
export function withRoom(
  name: string,
  body: (room: ArtifactRoom, folder: string) => Promise<void>,
  options: Partial<RoomOptions> = {},
): void {
  Deno.test(name, async () => {
    const folder = await Deno.makeTempDir({ prefix: "espalier-artifacts-" });
    const room = await openArtifactRoom({ folder, ...options });
    try {
      await body(room, folder);
    } finally {
      await room.close();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** Bytes that are the same in each run, and never the same block twice. */
export function noise(bytes: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  let state = seed;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, bytes);
}

export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A body whose end a test decides. */
export class Sender {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  #controller: ReadableByteStreamController | undefined;
  /** Whether nobody wants more of it. */
  isCancelled = false;

  constructor(...pieces: readonly Uint8Array<ArrayBuffer>[]) {
    this.body = new ReadableStream({
      type: "bytes",
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.isCancelled = true;
      },
    });
    for (const piece of pieces) this.send(piece);
  }

  send(piece: Uint8Array<ArrayBuffer>): void {
    // The stream takes the buffer for itself.
    this.#controller?.enqueue(piece.slice());
  }

  end(): this {
    this.#controller?.close();
    this.#controller?.byobRequest?.respond(0);
    return this;
  }

  /** As a connection that is reset. */
  break(): this {
    this.#controller?.error(new Error("connection reset"));
    return this;
  }
}

/** Uploads all of some bytes. */
export async function keep(room: ArtifactRoom, bytes: Uint8Array<ArrayBuffer>) {
  const sha256 = hashOf(bytes);
  const answer = await room.upload(
    { sha256, total: bytes.byteLength, from: 0 },
    new Sender(bytes).end().body,
  );
  return { sha256, answer };
}

/** Reads all of an artifact; undefined where it is not there. */
export async function readAll(room: ArtifactRoom, sha256: string): Promise<Uint8Array | undefined> {
  const bytes = await room.sizeOf(sha256);
  if (bytes === undefined) return undefined;
  const body = await room.read(sha256, { from: 0, bytes });
  if (body === undefined || "state" in body) return undefined;
  const all = new Uint8Array(bytes);
  let at = 0;
  for await (const piece of body) {
    all.set(piece, at);
    at += piece.byteLength;
  }
  return all.subarray(0, at);
}
