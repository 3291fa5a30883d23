/**
 * Reading what an attempt printed: its two streams, in the order in which they were taken in.
 *
 * Promise: holds at most one read of each stream, whoever reads it and however slowly.
 *
 * @module
 */
import type { OutputAsk, OutputEnvelope } from "../../shared/protocol/client_envelopes.ts";
import {
  type KeptAttempt,
  type KeptPiece,
  LOG_BEGIN,
  type LogPlace,
  type Logs,
  type Stream,
  STREAMS,
} from "../logs/logs.ts";

/** One share has about so many bytes: it must not hold up others on the connection. */
export const SHARE_BYTES_MAX = 64 * 1024;

type Pieces = OutputEnvelope["pieces"];

interface Reading {
  place: LogPlace;
  ahead: KeptPiece[];
  /** Nothing more was there at the last look. */
  isAtEnd: boolean;
  /** What is before it was read already. */
  known: number;
}

/** A reader of one attempt. */
export class OutputReading {
  readonly of: KeptAttempt;
  readonly #logs: Logs;
  readonly #streams: Readonly<Record<Stream, Reading>>;

  /** @param from where a reader goes on that was told of this attempt before */
  constructor(logs: Logs, of: KeptAttempt, from: OutputAsk["from"]) {
    this.#logs = logs;
    this.of = of;
    const isOn = from !== null && from.attempt === of.lease.attempt && from.epoch === of.lease.epoch;
    const begin = (known: number) => ({ place: LOG_BEGIN, ahead: [], isAtEnd: false, known });
    this.#streams = { stdout: begin(isOn ? from.stdout : 0), stderr: begin(isOn ? from.stderr : 0) };
  }

  /** All that was kept at the last look has been told. */
  get isAtEnd(): boolean {
    return STREAMS.every((stream) => {
      const { isAtEnd, ahead } = this.#streams[stream];
      return isAtEnd && ahead.length === 0;
    });
  }

  /** More may have come. */
  grown(): void {
    for (const stream of STREAMS) this.#streams[stream].isAtEnd = false;
  }

  /** Reads ahead where it must, then calls with the next share; it is empty where nothing more is there. */
  next(found: (pieces: Pieces) => void): void {
    const stream = STREAMS.find((each) => {
      const { ahead, isAtEnd } = this.#streams[each];
      return ahead.length === 0 && !isAtEnd;
    });
    if (stream === undefined) return found(this.#share());
    const reading = this.#streams[stream];
    const ask = { lease: this.of.lease, stream, from: reading.place, bytesMax: SHARE_BYTES_MAX };
    this.#logs.read(ask, ({ pieces, next }) => {
      reading.place = next;
      reading.isAtEnd = pieces.length === 0;
      for (const piece of pieces) {
        // A master that was superseded may have written beside this one for a moment.
        const told = Math.max(0, reading.known - piece.offset);
        if (told >= piece.data.byteLength) continue;
        reading.known = piece.offset + piece.data.byteLength;
        reading.ahead.push({ ...piece, offset: piece.offset + told, data: piece.data.subarray(told) });
      }
      this.next(found);
    });
  }

  /** The earliest first, until one stream has to be read further. */
  #share(): Pieces {
    const pieces: Pieces = [];
    let bytes = 0;
    const { stdout, stderr } = this.#streams;
    while (bytes < SHARE_BYTES_MAX) {
      const [a, b] = [stdout.ahead[0], stderr.ahead[0]];
      if (a === undefined && b === undefined) return pieces;
      if ((a === undefined && !stdout.isAtEnd) || (b === undefined && !stderr.isAtEnd)) return pieces;
      const stream = b === undefined || (a !== undefined && a.atMs <= b.atMs) ? "stdout" : "stderr";
      const piece = this.#streams[stream].ahead.shift();
      if (piece === undefined) return pieces;
      pieces.push({ stream, offset: piece.offset, data: piece.data });
      bytes += piece.data.byteLength;
    }
    return pieces;
  }
}
