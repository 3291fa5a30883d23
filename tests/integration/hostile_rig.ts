/**
 * An honest fleet under a flood: what its tasks take, and what the master's memory does.
 *
 * @module
 */
import { ok } from "node:assert/strict";
import type { Client } from "../../client/mod.ts";
import { SOCKET_PATH, SUBPROTOCOL } from "../../shared/protocol/limits.ts";
import type { Fleet } from "./fleet/fleet.ts";
import type { Member } from "./fleet/member.ts";

/** A thousand times what an empty task takes, on cores that the flood and other tests use too. */
const TASK_MS_MAX = 2_000;
/** What the master's memory may grow by, whatever is thrown at it: its own garbage, and what sessions may hold. */
export const GROWTH_MB_MAX = 300;

/** An honest fleet. */
export class Bystanders {
  readonly master: Member;
  readonly client: Client;
  readonly #rssMb: number;

  private constructor(master: Member, client: Client) {
    this.master = master;
    this.client = client;
    this.#rssMb = residentMb(master.pid);
  }

  /** A master, a worker that has built-in evaluators, a client. @param shell what sets limits for the master */
  static async start(fleet: Fleet, shell?: string): Promise<Bystanders> {
    const master = await fleet.master({}, shell);
    const client = await fleet.client();
    fleet.worker("honest", { slots: 1 });
    await noop(client);
    return new Bystanders(master, client);
  }

  /** Does something hostile while honest tasks run one after the other; at least ten of them, and as long as it takes. */
  async during(flood: () => Promise<unknown>, growthMbMax = GROWTH_MB_MAX): Promise<void> {
    let isOver = false;
    const flooding = flood().finally(() => isOver = true);
    // Told where it is waited for; a task that fails first is told first.
    flooding.catch(() => {});
    const times: number[] = [];
    while (!isOver || times.length < 10) {
      const startedMs = performance.now();
      await noop(this.client);
      times.push(performance.now() - startedMs);
    }
    await flooding;
    const median = times.toSorted((a, b) => a - b)[times.length >> 1] ?? Infinity;
    ok(median < TASK_MS_MAX, `the median of ${times.length} honest tasks was ${median} ms`);
    const grownMb = residentMb(this.master.pid) - this.#rssMb;
    ok(grownMb < growthMbMax, `the master grew by ${grownMb} MB`);
  }
}

/** One empty task, from its submission to its outcome. */
async function noop(client: Client): Promise<void> {
  const options = { name: "honest", evaluator: { kind: "builtin", name: "noop" }, inputs: [{}] } as const;
  const { completed } = await (await client.submit(options)).wait();
  ok(completed === 1);
}

/** The memory of a process, in megabytes. */
export function residentMb(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024);
}

/** Does something so often, a few at a time. */
export async function times(
  count: number,
  atOnce: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (next < count) await work(next++);
  }));
}

/** A connection that a test writes byte by byte, and need not read. */
export class RawPeer implements Disposable {
  readonly #connection: Deno.TcpConn;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async connect(url: string): Promise<RawPeer> {
    return new RawPeer(await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) }));
  }

  /** Opens a session by hand. */
  static async upgraded(url: string, token: string): Promise<RawPeer> {
    const peer = await RawPeer.connect(url);
    await peer.write(upgradeHead(url, token));
    const answer = await peer.read();
    ok(answer.includes(" 101 "), answer);
    return peer;
  }

  async write(data: string | Uint8Array<ArrayBuffer>): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    for (let from = 0; from < bytes.length;) from += await this.#connection.write(bytes.subarray(from));
  }

  /** What comes next; empty at the end. */
  async read(): Promise<string> {
    const buffer = new Uint8Array(8_192);
    const read = await this.#connection.read(buffer).catch(() => null);
    return new TextDecoder("latin1").decode(buffer.subarray(0, read ?? 0));
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/** The request for a session. */
export function upgradeHead(url: string, token: string): string {
  return [
    `GET ${SOCKET_PATH} HTTP/1.1`,
    `host: ${new URL(url).host}`,
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    `sec-websocket-protocol: ${SUBPROTOCOL}, espalier.token.${token}`,
    "",
    "",
  ].join("\r\n");
}

/** A WebSocket frame as a client sends it: masked with zeros. @param code 1 text, 2 binary, 9 ping */
export function webSocketFrame(code: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = payload;
  const size = length < 126
    ? [length]
    : length < 65_536
    ? [126, length >> 8, length & 255]
    : [127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255];
  size[0] = (size[0] ?? 0) | 0x80;
  return Uint8Array.from([0x80 | code, ...size, 0, 0, 0, 0, ...payload]);
}
