/**
 * Where the segments of an attempt lie, and what they are called.
 *
 * `<folder>/<group>/<number>/<epoch number>.<epoch mark>.<attempt>.<stream>.<segment>`, and `.gz` once it is compressed.
 *
 * @module
 */
import { join } from "node:path";
import { type TaskId, taskParts } from "../../../shared/model/ids.ts";
import type { Lease } from "../../../shared/model/task.ts";
import type { Stream } from "../logs.ts";

const NAME = /^(\d+)\.([0-9a-f]{8})\.(\d+)\.(stdout|stderr)\.(\d+)(\.gz)?$/;

/** A segment, as its name says. */
export interface SegmentName {
  /** The same for all segments of an attempt. */
  readonly attemptName: string;
  readonly attempt: number;
  readonly stream: Stream;
  readonly index: number;
  readonly isCompressed: boolean;
  readonly path: string;
}

/** The folder of a task's logs. */
export function taskFolder(folder: string, task: TaskId): string {
  const { group, number } = taskParts(task);
  return join(folder, group, String(number));
}

/** What the names of an attempt's segments begin with. */
export function attemptName({ epoch, attempt }: Lease): string {
  const [, number, mark] = epoch.split(".");
  return `${number}.${mark}.${attempt}`;
}

/** The path of a segment that is not compressed. */
export function segmentPath(folder: string, lease: Lease, stream: Stream, index: number): string {
  return join(taskFolder(folder, lease.task), `${attemptName(lease)}.${stream}.${index}`);
}

/** The segments in a task's folder, in their order; none where there is no folder. */
export async function segmentsIn(folder: string): Promise<SegmentName[]> {
  const segments: SegmentName[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      const segment = isFile ? segmentNamed(folder, name) : undefined;
      if (segment !== undefined) segments.push(segment);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return segments.toSorted((a, b) => a.index - b.index || Number(a.isCompressed) - Number(b.isCompressed));
}

function segmentNamed(folder: string, name: string): SegmentName | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const [, number, mark, attempt, stream, index, gz] = match;
  return {
    attemptName: `${number}.${mark}.${attempt}`,
    attempt: Number(attempt),
    stream: stream === "stderr" ? "stderr" : "stdout",
    index: Number(index),
    isCompressed: gz !== undefined,
    path: join(folder, name),
  };
}

/** The bytes of a segment, whether it is compressed or not. */
export async function segmentBytes({ path, isCompressed }: SegmentName): Promise<Uint8Array> {
  if (!isCompressed) {
    try {
      return await Deno.readFile(path);
    } catch (error) {
      // It may have been compressed since its folder was read.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  const compressed = await Deno.readFile(isCompressed ? path : `${path}.gz`);
  return await through(compressed, new DecompressionStream("gzip"));
}

/** Replaces a segment by a compressed one. @returns its new size in bytes */
export async function compressSegment(path: string): Promise<number> {
  const bytes = await through(await Deno.readFile(path), new CompressionStream("gzip"));
  const { mtime } = await Deno.stat(path);
  await Deno.writeFile(`${path}.tmp`, bytes, { mode: 0o600 });
  // Its age is that of what it holds.
  if (mtime !== null) await Deno.utime(`${path}.tmp`, mtime, mtime);
  await Deno.rename(`${path}.tmp`, `${path}.gz`);
  await Deno.remove(path);
  return bytes.byteLength;
}

async function through(bytes: Uint8Array, transform: TransformStream<BufferSource, Uint8Array>) {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
