/**
 * What evaluators print, as a client reads it.
 *
 * Promise: each byte that the master keeps comes once and in order, also over a break of the connection; the next share is
 * asked for when the one before has been read, so that nothing piles up.
 *
 * @module
 */
import type { TaskId } from "../shared/model/ids.ts";
import type { OutputAsk, OutputEnvelope } from "../shared/protocol/client_envelopes.ts";
import { Channel } from "./channel.ts";
import { CommandFailed } from "./command_failed.ts";
import type { LinkMessage } from "./link_messages.ts";
import { OutputTail } from "./output_tail.ts";

/** Which output to read. */
export interface OutputOptions {
  /** By default that of the attempt with the outcome, else of the newest. Of attempts with one number, the newest. */
  readonly attempt?: number | undefined;
  /** By default both. */
  readonly stream?: "stdout" | "stderr" | undefined;
  /** What comes, too, until the task has its outcome. */
  readonly follow?: boolean | undefined;
  /** Of what is there already, only so many lines. */
  readonly tailLines?: number | undefined;
}

/** A piece of what an attempt printed. */
export interface OutputPiece {
  readonly type: "piece";
  readonly attempt: number;
  /** The master's life that gave the attempt its number. */
  readonly epoch: string;
  readonly worker: string;
  readonly stream: "stdout" | "stderr";
  /** Bytes of the stream before it. */
  readonly offset: number;
  /** So many of those came after the piece before, and are not kept. */
  readonly leftOutBytes: number;
  readonly data: Uint8Array;
}

/** What a reader is told. */
export type OutputEvent =
  | OutputPiece
  /** The last word. The outcome is empty where the task has none yet. */
  | { readonly type: "end"; readonly outcome: string };

/** All outputs that a client reads. */
export class Outputs {
  readonly #send: (message: LinkMessage) => void;
  readonly #open = new Map<string, Channel<OutputEnvelope>>();
  #next = 1;

  constructor(send: (message: LinkMessage) => void) {
    this.#send = send;
  }

  async *read(task: TaskId, options: OutputOptions): AsyncGenerator<OutputEvent, void> {
    const { attempt = null, follow = false, stream, tailLines } = options;
    const id = `output-${this.#next++}`;
    const shares = new Channel<OutputEnvelope>();
    this.#open.set(id, shares);
    this.#send({ type: "subscribe", id, kind: "output", after: null, output: ask(task, attempt, follow) });
    const tail = tailLines === undefined ? undefined : new OutputTail(tailLines);
    const pieces = new Pieces();
    let isTailTold = false;
    try {
      for await (const share of shares) {
        const fresh = pieces.of(share).filter((piece) => stream === undefined || piece.stream === stream);
        if (tail === undefined || isTailTold) yield* fresh;
        else {
          tail.add(fresh);
          isTailTold = share.isAllSoFar;
          if (isTailTold) yield* tail.lines();
        }
        if (share.end !== null) return yield endOf(share.end);
        this.#send({ type: "more", id });
      }
    } finally {
      this.#open.delete(id);
      this.#send({ type: "unsubscribe", id });
    }
  }

  /** A share has come. */
  told(share: OutputEnvelope): void {
    this.#open.get(share.subscription)?.push(share);
  }

  /** Nothing more comes. */
  broken(error: CommandFailed): void {
    for (const shares of this.#open.values()) shares.close(error);
  }
}

/** Knows how far each stream was told. */
class Pieces {
  #of = "";
  #ends = { stdout: 0, stderr: 0 };

  of({ of, pieces }: OutputEnvelope): OutputPiece[] {
    if (of === null) return [];
    const { epoch, attempt, worker } = of;
    if (this.#of !== `${epoch} ${attempt}`) this.#ends = { stdout: 0, stderr: 0 };
    this.#of = `${epoch} ${attempt}`;
    return pieces.map(({ stream, offset, data }) => {
      const leftOutBytes = Math.max(0, offset - this.#ends[stream]);
      this.#ends[stream] = offset + data.byteLength;
      return { type: "piece", attempt, epoch, worker, stream, offset, leftOutBytes, data };
    });
  }
}

function ask(task: TaskId, attempt: number | null, follow: boolean): OutputAsk {
  return { task, attempt, follow, from: null };
}

/** @throws CommandFailed where there is nothing to tell, and why */
function endOf({ outcome, error }: NonNullable<OutputEnvelope["end"]>): OutputEvent {
  if (error !== null) throw new CommandFailed(error);
  return { type: "end", outcome };
}
