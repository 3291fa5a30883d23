/**
 * A peer that says whatever a test wants over a real socket, well or badly.
 *
 * @module
 */
import { decode, encode } from "../../../shared/protocol/codec.ts";
import { SOCKET_PATH, SUBPROTOCOL } from "../../../shared/protocol/limits.ts";

/** An envelope as it came, unchecked. */
export type Heard = Readonly<Record<string, unknown>>;

/** A raw connection to a master. */
export class Peer {
  /** All envelopes that came. */
  readonly heard: Heard[] = [];
  /** Fulfilled with the close code. */
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #opened = Promise.withResolvers<boolean>();
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  /** @param url the master's; @param token or an empty text for none */
  constructor(url: string, token: string) {
    const protocols = token === "" ? [SUBPROTOCOL] : [SUBPROTOCOL, `espalier.token.${token}`];
    this.#socket = new WebSocket(`${url.replace("http", "ws")}${SOCKET_PATH}`, protocols);
    this.#socket.binaryType = "arraybuffer";
    const { promise, resolve } = Promise.withResolvers<number>();
    this.closed = promise;
    this.#socket.onopen = () => this.#opened.resolve(true);
    // A close follows.
    this.#socket.onerror = () => {};
    this.#socket.onmessage = ({ data }) => this.#message(data);
    this.#socket.onclose = ({ code }) => {
      this.#isClosed = true;
      this.#opened.resolve(false);
      this.#wake();
      resolve(code);
    };
  }

  /** Whether it was let in. */
  get opened(): Promise<boolean> {
    return this.#opened.promise;
  }

  say(...envelopes: readonly unknown[]): void {
    this.sayRaw(encode(envelopes));
  }

  sayRaw(frame: Uint8Array<ArrayBuffer> | string): void {
    this.#socket.send(frame);
  }

  /** Fulfilled with the first envelope for which this holds. */
  async until(holds: (envelope: Heard) => boolean): Promise<Heard> {
    for (;;) {
      const found = this.heard.find(holds);
      if (found !== undefined) return found;
      if (this.#isClosed) throw new Error(`the master closed after ${JSON.stringify(this.heard)}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.closed;
  }

  #message(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return;
    const envelopes = decode(new Uint8Array(data));
    if (Array.isArray(envelopes)) this.heard.push(...envelopes);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** A worker's first word. */
export function registration(worker: string, leases: readonly unknown[] = []) {
  return {
    type: "register",
    version: { major: 1, minor: 0 },
    worker,
    incarnation: crypto.randomUUID(),
    slots: 1,
    pool: { cpus: 1, memoryBytes: 1, gpus: 0 },
    executors: ["builtin"],
    facts: {
      hostname: "h",
      os: "o",
      arch: "a",
      cpus: 1,
      memoryBytes: 1,
      pid: 1,
      runtime: "r",
      software: "s",
    },
    seen: null,
    leases,
  };
}

/** The status with which an upgrade is answered: the platform's own client cannot set these headers. */
export async function upgradeStatus(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const { host, port } = new URL(url);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  const lines = {
    host,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  await connection.write(new TextEncoder().encode(`GET /socket HTTP/1.1\r\n${head}\r\n`));
  const buffer = new Uint8Array(4_096);
  const read = await connection.read(buffer) ?? 0;
  return Number(new TextDecoder().decode(buffer.subarray(0, read)).split(" ")[1]);
}
