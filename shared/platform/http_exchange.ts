/**
 * One HTTP request over a connection of its own, with bodies that never lie in memory.
 *
 * The platform's `fetch` sends a streamed body in small parts that wait for one another (60 MB/s here at best, 11 MB/s at
 * worst), and leaves some 90 MB behind while 1 GB passes; this sends it as fast as the disk gives it, from one buffer.
 *
 * Promise: an end is an answer or an exception, also where the peer says nothing any more; the connection is closed then.
 * Not here: what is asked and what an answer means (artifact_transfer.ts).
 *
 * @module
 */
import { AnswerReader } from "./http_answer.ts";
import { writeAll } from "./file_hash.ts";

/** A connection must be there within this time. */
const CONNECT_WITHIN_MS = 15_000;

/** How connections are made. */
export interface ExchangeOptions {
  /** Authorities (PEM) that are trusted besides those of the system. */
  readonly caCerts?: readonly string[] | undefined;
  /** The peer is given up after this time without a byte in either direction. */
  readonly idleMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What is asked. */
export interface ExchangeRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** The body: so many bytes, read into the buffer that is given. */
  readonly body?: { readonly bytes: number; read(into: Uint8Array): Promise<number | null> } | undefined;
}

/** An answer whose body is still to be read. */
export interface ExchangeAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The next bytes of the body, which are good until the next call but one; undefined at its end. */
  next(): Promise<Uint8Array | undefined>;
}

/** Bytes that are sent at once. */
const PIECE_BYTES = 256 * 1024;

/**
 * Sends a request and reads its answer; the connection is closed when `use` is done.
 *
 * An answer that comes before the body is sent ends the sending: the peer wants no more of it.
 *
 * @throws whatever the network, `use` or the body throws
 */
export async function exchange<T>(
  request: ExchangeRequest,
  options: ExchangeOptions,
  use: (answer: ExchangeAnswer) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted();
  const connection = await connect(request.url, options);
  const line = new Line(connection, options.idleMs);
  const abort = () => line.cut("stopped");
  options.signal?.addEventListener("abort", abort);
  try {
    return await line.saying(async () => await talk(request, line, use));
  } finally {
    options.signal?.removeEventListener("abort", abort);
    line.close();
  }
}

async function talk<T>(
  { method, url, headers, body }: ExchangeRequest,
  line: Line,
  use: (answer: ExchangeAnswer) => Promise<T>,
): Promise<T> {
  const lines = Object.entries({
    host: url.host,
    connection: "close",
    ...headers,
    ...(body === undefined && method !== "PUT" ? {} : { "content-length": String(body?.bytes ?? 0) }),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${url.pathname} HTTP/1.1\r\n${lines.join("")}\r\n`;
  await writeAll(line, new TextEncoder().encode(head));
  const answer = AnswerReader.of(line);
  const sending = { isWanted: true };
  const first = answer.finally(() => sending.isWanted = false);
  const sent = body === undefined ? undefined : send(body, line, sending);
  // A peer that answers early may close before it has read all: what it said goes before what the sending came to.
  const outcome = await Promise.allSettled([first, sent]);
  const [came, went] = outcome;
  if (went.status === "rejected" && (came.status === "rejected" || went.reason instanceof BodyError)) {
    throw went.reason;
  }
  if (came.status === "rejected") throw came.reason;
  return await use(came.value);
}

/** What was to be sent cannot be read, or is not what it was said to be. */
export class BodyError extends Error {}

async function send(
  body: NonNullable<ExchangeRequest["body"]>,
  line: Line,
  sending: { readonly isWanted: boolean },
): Promise<void> {
  const buffer = new Uint8Array(PIECE_BYTES);
  let left = body.bytes;
  while (left > 0 && sending.isWanted) {
    const read = await body.read(buffer.subarray(0, Math.min(PIECE_BYTES, left))).catch((error: unknown) => {
      line.cut("what is sent cannot be read");
      throw new BodyError(error instanceof Error ? error.message : String(error));
    });
    if (read === null) {
      line.cut("the file is shorter than it was");
      throw new BodyError("it became shorter while it was sent");
    }
    await writeAll(line, buffer.subarray(0, read));
    left -= read;
  }
}

/** A connection that is cut where nothing passes. */
class Line {
  readonly #connection: Deno.Conn;
  readonly #watch: ReturnType<typeof setInterval>;
  #movedAtMs = performance.now();
  #cutBecause: string | undefined;
  #isClosed = false;

  constructor(connection: Deno.Conn, idleMs: number) {
    this.#connection = connection;
    this.#watch = setInterval(() => {
      if (performance.now() - this.#movedAtMs >= idleMs) this.cut(`nothing came for ${idleMs / 1_000} s`);
    }, Math.min(1_000, idleMs));
  }

  async read(into: Uint8Array): Promise<number | null> {
    const read = await this.#connection.read(into);
    this.#movedAtMs = performance.now();
    return read;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const written = await this.#connection.write(bytes);
    this.#movedAtMs = performance.now();
    return written;
  }

  /** Names the reason where the line was cut from here. */
  async saying<T>(talk: () => Promise<T>): Promise<T> {
    try {
      return await talk();
    } catch (error) {
      if (this.#cutBecause === undefined || error instanceof BodyError) throw error;
      throw new Error(this.#cutBecause);
    }
  }

  cut(reason: string): void {
    this.#cutBecause ??= reason;
    this.close();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#watch);
    this.#connection.close();
  }
}

async function connect(url: URL, { caCerts, signal }: ExchangeOptions): Promise<Deno.Conn> {
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const isSecure = url.protocol === "https:";
  const port = Number(url.port === "" ? (isSecure ? 443 : 80) : url.port);
  const connecting = Deno.connect({ hostname, port }).then(async (plain) => {
    // Small parts, such as the end of a head, must not wait for the peer.
    plain.setNoDelay(true);
    return isSecure
      ? await secured(plain, { hostname, ...(caCerts === undefined ? {} : { caCerts: [...caCerts] }) })
      : plain;
  });
  return await within(connecting, signal);
}

async function secured(plain: Deno.TcpConn, options: Deno.StartTlsOptions): Promise<Deno.Conn> {
  const connection = await Deno.startTls(plain, options);
  try {
    await connection.handshake();
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Waits for a connection; one that comes too late is closed. */
async function within(connecting: Promise<Deno.Conn>, signal: AbortSignal | undefined): Promise<Deno.Conn> {
  const gaveUp = Promise.withResolvers<never>();
  const give = (reason: string) => gaveUp.reject(new Error(reason));
  const timer = setTimeout(() => give("the master does not answer"), CONNECT_WITHIN_MS);
  const abort = () => give("stopped");
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([connecting, gaveUp.promise]);
  } catch (error) {
    connecting.then((late) => late.close(), () => {});
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
