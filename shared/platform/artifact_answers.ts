/**
 * What a master's answer about an artifact means, and when to try again.
 *
 * @module
 */
import { ArtifactError } from "../protocol/artifact_port.ts";
import { ARTIFACT_ANSWER_HEADER } from "../protocol/limits.ts";
import { BodyError, type ExchangeAnswer } from "./http_exchange.ts";

/** The longest wait before the first try after a break, and before any. */
const AGAIN_MIN_MS = 100;
const AGAIN_MAX_MS = 10_000;
/** An explanation that is longer is cut. */
const EXPLANATION_BYTES_MAX = 4_096;
/** What is worth another try although the request is said to be at fault. */
const AGAIN = new Set([408, 409, 425, 429]);
/** What other web servers in front of a master say on its behalf too; anything else is only good from the master. */
const REFUSED_BY_ANYONE = new Set([401, 403, 405, 413, 421]);

/** One request to the master whose turn it is. */
export type Ask = <T>(
  request: {
    readonly method: "PUT" | "GET";
    readonly sha256: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: { readonly bytes: number; read(into: Uint8Array): Promise<number | null> };
    /** How long the master may be silent, where that is longer than usual. */
    readonly idleMs?: number;
  },
  use: (answer: ExchangeAnswer) => Promise<T>,
) => Promise<T>;

/** A try that came to nothing; another one may come to something. */
export class TryAgain extends Error {}

/** What became of an answer that is no success. @throws always: ArtifactError, or TryAgain */
export async function refusedBy(answer: ExchangeAnswer): Promise<never> {
  const { status, headers } = answer;
  const isMaster = headers.has(ARTIFACT_ANSWER_HEADER);
  const text = await explanationOf(answer);
  const message = `${text === "" ? "no word why" : text} (${status})`;
  if (status === 404 && isMaster) throw new ArtifactError("missing", message);
  const isFinal = status >= 400 && status < 500 && !AGAIN.has(status) &&
    (isMaster || REFUSED_BY_ANYONE.has(status));
  throw isFinal ? new RefusedError(status, message) : new TryAgain(message);
}

/** Refused, with the number of the reason. */
class RefusedError extends ArtifactError {
  readonly status: number;

  constructor(status: number, message: string) {
    super("refused", message);
    this.status = status;
  }
}

async function explanationOf(answer: ExchangeAnswer): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  while (text.length < EXPLANATION_BYTES_MAX) {
    const piece = await answer.next().catch(() => undefined);
    if (piece === undefined) break;
    text += decoder.decode(piece, { stream: true });
  }
  return text.slice(0, EXPLANATION_BYTES_MAX).trim();
}

/** Tries until something comes of it. */
export class Tries {
  readonly #signal: AbortSignal | undefined;
  readonly #another: () => void;
  readonly #failed: (reason: string) => void;
  readonly #mayTokenChange: boolean;
  #failures = 0;

  /** @param options.another turns to the next master */
  constructor(
    options: {
      readonly signal: AbortSignal | undefined;
      readonly failed?: ((reason: string) => void) | undefined;
      readonly another: () => void;
      readonly mayTokenChange: boolean;
    },
  ) {
    this.#signal = options.signal;
    this.#another = options.another;
    this.#failed = options.failed ?? (() => {});
    this.#mayTokenChange = options.mayTokenChange;
  }

  /** Something has passed: the next try, if there must be one, comes soon. */
  moved(): void {
    this.#failures = 0;
  }

  /** @throws ArtifactError */
  async until<T>(tryOnce: () => Promise<T>): Promise<T> {
    let hadToken = true;
    for (;;) {
      this.#stopIfAsked("it was stopped");
      let reason: string;
      try {
        return await tryOnce();
      } catch (error) {
        if (error instanceof BodyError) throw new ArtifactError("local", error.message);
        // A token that was changed a moment ago is read anew, once.
        const isOldToken: boolean = error instanceof RefusedError && error.status === 401 && hadToken;
        if (error instanceof ArtifactError && !(isOldToken && this.#mayTokenChange)) throw error;
        hadToken = !isOldToken;
        reason = error instanceof Error ? error.message : String(error);
      }
      this.#failed(reason);
      this.#another();
      await this.#wait();
      this.#stopIfAsked(`it was stopped; the last try: ${reason}`);
    }
  }

  /** Exponential, with jitter: a fleet that lost its master at one moment does not come back at one moment. */
  async #wait(): Promise<void> {
    const delayMs = (0.5 + Math.random() / 2) * Math.min(AGAIN_MAX_MS, AGAIN_MIN_MS * 2 ** this.#failures);
    this.#failures += 1;
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, delayMs);
    const abort = () => over.resolve();
    this.#signal?.addEventListener("abort", abort);
    if (this.#signal?.aborted === true) abort();
    await over.promise;
    clearTimeout(timer);
    this.#signal?.removeEventListener("abort", abort);
  }

  #stopIfAsked(message: string): void {
    if (this.#signal?.aborted === true) throw new ArtifactError("stopped", message);
  }
}
