/**
 * How far a stream is on the disk, read from its segments.
 *
 * @module
 */
import { segmentBytes, type SegmentName } from "./log_folder.ts";
import { readSegment } from "./segment.ts";

/** Where a stream is appended to. */
export interface Appending {
  index: number;
  /** What of the segment counts; 0 where there is none yet. */
  bytes: number;
}

/** The end of a stream. */
export interface StreamEnd {
  readonly worker: string | undefined;
  /** Bytes of the stream, kept or left out. */
  readonly end: number;
  readonly appending: Appending;
  /** Whether the last segment goes on behind what counts of it. */
  readonly isTorn: boolean;
}

/** Reads the end of a stream. @param segments of this stream, in order */
export async function streamEnd(segments: readonly SegmentName[]): Promise<StreamEnd> {
  const last = segments.at(-1);
  if (last === undefined) {
    return { worker: undefined, end: 0, appending: { index: 0, bytes: 0 }, isTorn: false };
  }
  const bytes = await segmentBytes(last);
  const content = readSegment(bytes);
  const piece = content?.records.at(-1);
  // Nothing of it may be whole: then those before it say how far the stream is.
  const { worker, end } = piece === undefined
    ? await streamEnd(segments.slice(0, -1))
    : { worker: undefined, end: piece.offset + piece.data.byteLength };
  const wholeBytes = content?.wholeBytes ?? 0;
  return {
    worker: content?.owner.worker ?? worker,
    end,
    appending: last.isCompressed
      ? { index: last.index + 1, bytes: 0 }
      : { index: last.index, bytes: wholeBytes },
    isTorn: !last.isCompressed && bytes.byteLength > wholeBytes,
  };
}
