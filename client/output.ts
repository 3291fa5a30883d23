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
import type { OutputEvent, OutputOptions, OutputPiece } from "./output_events.ts";
import { OutputTail } from "./output_tail.ts";

/** All outputs that a client reads. */
export class Outputs {
  readonly #send: (message: LinkMessage) => void;
  readonly #open = new Map<string, Channel<OutputEnvelope>>();
  #next = 1;
  #end: CommandFailed | undefined;

  constructor(send: (message: LinkMessage) => void) {
    this.#send = send;
  }

  async *read(task: TaskId, options: OutputOptions): AsyncGenerator<OutputEvent, void> {
    const { attempt = null, follow = false, stream, tailLines } = options;
    if (this.#end !== undefined) throw this.#end;
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
    this.#end = error;
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
