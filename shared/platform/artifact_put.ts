/**
 * Puts one artifact: asks first, then sends what is not there.
 *
 * @module
 */
import type { ArtifactRef } from "../model/artifact.ts";
import { ArtifactError } from "../protocol/artifact_port.ts";
import { UPLOAD_OFFSET_HEADER } from "../protocol/limits.ts";
import { type Ask, refusedBy, type Tries, TryAgain } from "./artifact_answers.ts";
import { addFile, sha256 } from "./file_hash.ts";
import type { ExchangeAnswer } from "./http_exchange.ts";

/** A master that goes on with an upload reads again what is there, and at the end its disk may take its time. */
const SLOW_DISK_BYTES_PER_MS = 20_000;

/** Puts a file; what the master has of it is not sent. @throws ArtifactError */
export async function putArtifact(
  path: string,
  ask: Ask,
  tries: Tries,
  signal: AbortSignal | undefined,
): Promise<ArtifactRef> {
  using file = await Deno.open(path).catch(local);
  const hash = sha256();
  const bytes = await addFile(file, hash, Infinity, () => signal?.aborted !== true).catch(local);
  const ref = { sha256: hash.digest("hex"), bytes };
  let furthest = 0;
  await tries.until(async () => {
    const from = await ask({
      method: "PUT",
      sha256: ref.sha256,
      headers: { "content-range": `bytes */${bytes}` },
      idleMs: bytes / SLOW_DISK_BYTES_PER_MS,
    }, offsetIn);
    if (from === undefined) return;
    if (from > furthest) tries.moved();
    furthest = from;
    await send(file, ref, from, ask);
  });
  return ref;
}

async function send(
  file: Deno.FsFile,
  { sha256, bytes }: ArtifactRef,
  from: number,
  ask: Ask,
): Promise<void> {
  if (from >= bytes) throw new TryAgain("the master has more bytes of it than there are");
  await file.seek(from, Deno.SeekMode.Start).catch(local);
  const left = await ask({
    method: "PUT",
    sha256,
    headers: { "content-range": `bytes ${from}-${bytes - 1}/${bytes}` },
    body: { bytes: bytes - from, read: (into) => file.read(into) },
    idleMs: bytes / SLOW_DISK_BYTES_PER_MS,
  }, async (answer) => {
    if (answer.status !== 422) return await offsetIn(answer);
    // What was there before may have been wrong: the master has removed it, and takes all of it anew.
    if (from > 0) throw new TryAgain("what was there of it was not of it");
    throw new ArtifactError("local", "the file changed while it was sent: what came has another hash");
  });
  if (left !== undefined) throw new TryAgain("not all of it came");
}

/** Where to send from; undefined where all is there. */
async function offsetIn(answer: ExchangeAnswer): Promise<number | undefined> {
  const { status, headers } = answer;
  if (status === 200 || status === 201) return undefined;
  const offset = headers.get(UPLOAD_OFFSET_HEADER);
  if (status === 202 && offset !== null && /^\d{1,15}$/.test(offset)) return Number(offset);
  return await refusedBy(answer);
}

function local(error: unknown): never {
  throw new ArtifactError("local", error instanceof Error ? error.message : String(error));
}
