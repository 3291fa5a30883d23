/**
 * A server that lasts: the platform's ends for good at the first connection that it cannot take.
 *
 * Promise: out of file handles or of memory for a moment, it listens on the same port again as soon as it can; those who
 * are connected stay so.
 * Not here: what is answered (listener.ts).
 *
 * @module
 */
import type { Bind } from "./bind.ts";

/** The wait before the first try to listen again; doubled for each that fails. */
const AGAIN_MIN_MS = 50;
const AGAIN_MAX_MS = 2_000;
/** At the end, those who were answered and go on sending are not waited for beyond this. */
const CLOSE_WITHIN_MS = 1_000;

/** A server, from the first moment to its close. */
export class LastingServer {
  /** The port that was taken. */
  readonly port: number;
  readonly #bind: Bind;
  readonly #handler: Deno.ServeHandler<Deno.NetAddr>;
  readonly #trouble: (message: string) => void;
  #server: Deno.HttpServer<Deno.NetAddr>;
  #again: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #isClosing = false;

  /** @param trouble is told when it cannot listen, and when it can again @throws where the platform cannot listen there */
  constructor(bind: Bind, handler: Deno.ServeHandler<Deno.NetAddr>, trouble: (message: string) => void) {
    this.#bind = bind;
    this.#handler = handler;
    this.#trouble = trouble;
    this.#server = this.#serve(bind.port);
    this.port = this.#server.addr.port;
  }

  /** Takes no one any more and lets go of the port. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#again);
    // Whoever was answered before its body was read may go on sending for ever: the platform waits for that, and cannot
    // be told to cut it any more. The port is free from the first moment.
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, CLOSE_WITHIN_MS);
    // One that has ended by itself has nothing to shut down, and may say so.
    await Promise.race([this.#server.shutdown().catch(() => {}), late.promise]);
    clearTimeout(timer);
  }

  #serve(port: number): Deno.HttpServer<Deno.NetAddr> {
    const { hostname, tls } = this.#bind;
    const server = Deno.serve({ hostname, port, ...tls, onListen: () => {} }, this.#handler);
    server.finished.catch((error: unknown) => this.#ended(error));
    return server;
  }

  #ended(error: unknown): void {
    if (this.#isClosing) return;
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#failures === 0) this.#trouble(`no connection can be taken now: ${reason}; it is tried again`);
    const waitMs = Math.min(AGAIN_MAX_MS, AGAIN_MIN_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#again = setTimeout(() => this.#tryAgain(), waitMs);
  }

  #tryAgain(): void {
    try {
      this.#server = this.#serve(this.port);
    } catch (error) {
      return this.#ended(error);
    }
    // It may end again with the first who comes: the waits grow until it has lasted for a while.
    this.#again = setTimeout(() => {
      this.#failures = 0;
      this.#trouble("connections are taken again");
    }, AGAIN_MAX_MS);
  }
}
