/**
 * A connection: the outgoing half of a session.
 *
 * Promise: what is said in one turn leaves in few frames, in order; a peer that does not read is owed no more than its
 * limit and one such frame; closing twice is harmless, and nothing is said after it.
 * Not here: what comes in (worker_session.ts, client_session.ts).
 *
 * @module
 */
import type { ToClient } from "../../shared/protocol/client_envelopes.ts";
import { encodeFrames, type FrameProblem } from "../../shared/protocol/codec.ts";
import { CLOSE, type CloseName, FRAME_ENVELOPES_MAX, TEXT_LENGTH_MAX } from "../../shared/protocol/limits.ts";
import type { SocketPort } from "../../shared/protocol/socket_port.ts";
import type { Refused, ToWorker } from "../../shared/protocol/worker_envelopes.ts";

/** A peer that has left more than this unread is not reading: what it is owed must not grow in the master's memory. */
export const UNREAD_BYTES_MAX = 32 * 1024 * 1024;

/** What a client is told in one turn leaves in frames of so many: answers may be large, and are counted only once sent. */
export const CLIENT_FRAME_ENVELOPES_MAX = 64;

/** Gathers what is said to a peer and sends it at the end of the turn. */
export class Connection {
  readonly #port: SocketPort;
  readonly #unreadBytesMax: number;
  readonly #envelopesMax: number;
  #waiting: (ToWorker | ToClient)[] = [];
  #isClosed = false;
  /** It was found too slow within a turn: what else is said to it would only fill the memory. */
  #isOverrun = false;

  constructor(
    port: SocketPort,
    unreadBytesMax: number = UNREAD_BYTES_MAX,
    envelopesMax: number = FRAME_ENVELOPES_MAX,
  ) {
    this.#port = port;
    this.#unreadBytesMax = unreadBytesMax;
    this.#envelopesMax = envelopesMax;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What was sent and the peer has not read yet. */
  get unreadBytes(): number {
    return this.#port.bufferedBytes();
  }

  /** Whether the peer has stopped reading. */
  get isTooSlow(): boolean {
    return !this.#isClosed && (this.#isOverrun || this.unreadBytes > this.#unreadBytesMax);
  }

  /** Adds to what goes out at the end of the turn, or before it where that is a whole frame. */
  say(envelopes: readonly (ToWorker | ToClient)[]): void {
    for (const envelope of envelopes) {
      if (this.#isClosed || this.#isOverrun) return;
      this.#waiting.push(envelope);
      if (this.#waiting.length < this.#envelopesMax) continue;
      this.flush();
      this.#isOverrun = this.isTooSlow;
    }
  }

  /** Sends what was said. */
  flush(): void {
    if (this.#isClosed || this.#waiting.length === 0) return;
    const envelopes = this.#waiting;
    this.#waiting = [];
    for (const frame of framesOf(envelopes)) this.#port.send(frame);
  }

  /** Sends what was said, then `refused` where there is one, then closes. */
  close(name: CloseName, refused?: Refused): void {
    if (this.#isClosed) return;
    if (refused !== undefined) this.#waiting.push(refused);
    this.flush();
    this.abandon(name);
  }

  /** Closes without another word: the peer has gone, or the session has crashed. */
  abandon(name: CloseName): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting = [];
    this.#port.close(CLOSE[name].code, CLOSE[name].name);
  }
}

/** The words for what a peer may not say. */
export function refusal(code: string, message: string, path = "", advice = ""): Refused {
  // A problem's text may quote what the peer sent.
  const cut = (text: string) => text.slice(0, TEXT_LENGTH_MAX);
  return { type: "refused", code: cut(code), message: cut(message), path: cut(path), advice: cut(advice) };
}

/** The words for who came with a token that has been changed since. */
export function expiredToken(): Refused {
  return refusal(
    "expired",
    "the token that this session began with has ended",
    "",
    "it was changed: come again with the new one",
  );
}

/** How a session ends after a frame with this problem. */
export function closeNameFor(problem: FrameProblem): CloseName {
  return problem.code === "too_large" || problem.code === "too_many" ? "too_large" : "malformed";
}

function framesOf(envelopes: readonly (ToWorker | ToClient)[]): Uint8Array<ArrayBuffer>[] {
  try {
    return encodeFrames(envelopes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return envelopes.flatMap((envelope) => framesOfOne(envelope));
  }
}

/** A page of rows that is too large for a frame is the asker's to make smaller; anything else too large is a bug. */
function framesOfOne(envelope: ToWorker | ToClient): Uint8Array<ArrayBuffer>[] {
  try {
    return encodeFrames([envelope]);
  } catch (error) {
    if (!(error instanceof RangeError) || envelope.type !== "reply") throw error;
    const { type, id, epoch, commit } = envelope;
    const advice = "ask for fewer rows at once (a smaller limit)";
    const failure = { code: "too_large", message: error.message, path: "limit", advice, retryAfterMs: null };
    return encodeFrames([{ type, id, ok: false, error: failure, epoch, commit }]);
  }
}
