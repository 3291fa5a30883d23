/**
 * A real listener with a room of artifacts behind it, and a proxy that cuts connections where a test says.
 *
 * @module
 */
import { ok } from "node:assert/strict";
import {
  type ArtifactRoom,
  openArtifactRoom,
  type RoomOptions,
} from "../../master/artifacts/artifact_room.ts";
import { listen, type Listener, type ListenerOptions } from "../../master/gateway/listener.ts";
import { TokenCheck } from "../../master/gateway/tokens.ts";
import { newTokens, type Tokens } from "../../master/gateway/tokens_file.ts";
import { artifactTransfer, type ArtifactTransferOptions } from "../../shared/platform/artifact_transfer.ts";
import type { ArtifactTransfer } from "../../shared/protocol/artifact_port.ts";
import { writeAll } from "../../shared/platform/file_hash.ts";

/** A listener, its room and a folder for files. */
export class ArtifactsRig {
  readonly folder: string;
  readonly room: ArtifactRoom;
  readonly tokens: Tokens;
  readonly listener: Listener;

  private constructor(folder: string, room: ArtifactRoom, options: Partial<ListenerOptions>) {
    this.folder = folder;
    this.room = room;
    this.tokens = newTokens();
    const check = new TokenCheck(this.tokens);
    const result = listen({ hostname: "127.0.0.1", port: 0, check, assets: [], artifacts: room, ...options });
    ok(result.ok, JSON.stringify(result));
    this.listener = result.listener;
  }

  static async open(
    room: Partial<RoomOptions> = {},
    options: Partial<ListenerOptions> = {},
  ): Promise<ArtifactsRig> {
    const folder = await Deno.makeTempDir({ prefix: "espalier-artifacts-" });
    return new ArtifactsRig(
      folder,
      await openArtifactRoom({ folder: `${folder}/artifacts`, ...room }),
      options,
    );
  }

  /** A transfer as a worker has one. */
  transfer(options: Partial<ArtifactTransferOptions> = {}): ArtifactTransfer {
    return artifactTransfer({ urls: [this.listener.url], token: this.tokens.worker, ...options });
  }

  /** A file of a test's. */
  async file(name: string, bytes: Uint8Array): Promise<string> {
    await Deno.writeFile(`${this.folder}/${name}`, bytes);
    return `${this.folder}/${name}`;
  }

  /** Asks as a program would, or a browser. */
  async ask(
    path: string,
    { token, ...init }: Omit<RequestInit, "headers"> & { token?: string; headers?: Record<string, string> } =
      {},
  ): Promise<
    { readonly status: number; readonly headers: Headers; readonly bytes: Uint8Array<ArrayBuffer> }
  > {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const headers = { ...authorization, ...init.headers };
    const response = await fetch(`${this.listener.url}${path}`, { ...init, headers });
    return { status: response.status, headers: response.headers, bytes: await response.bytes() };
  }

  async end(): Promise<void> {
    await this.room.close();
    await this.listener.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A test with a listener that is put away after it. */
export function withArtifacts(
  name: string,
  body: (it: ArtifactsRig) => Promise<void>,
  room: Partial<RoomOptions> = {},
): void {
  Deno.test({
    name,
    timeout: 30_000,
    fn: async () => {
      const it = await ArtifactsRig.open(room);
      try {
        await body(it);
      } finally {
        await it.end();
      }
    },
  });
}

/** Passes bytes on between a peer and a port, and cuts each connection after so many of them. */
export class CuttingProxy {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #accepting: Promise<void>;
  readonly #passing: Promise<unknown>[] = [];
  /** Bytes that each connection passed on, in both directions. */
  readonly passed: number[] = [];

  /** @param cuts after how many bytes the first connections are cut; the others pass */
  constructor(port: number, cuts: readonly number[]) {
    this.#accepting = this.#accept(port, [...cuts]);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  async close(): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    await Promise.all(this.#passing);
  }

  async #accept(port: number, cuts: number[]): Promise<void> {
    try {
      for await (const peer of this.#listener) {
        const target = await Deno.connect({ hostname: "127.0.0.1", port });
        const index = this.passed.push(0) - 1;
        const cutAt = cuts.shift() ?? Infinity;
        const close = () => [peer, target].forEach(closeQuietly);
        const count = (bytes: number) => {
          this.passed[index] = (this.passed[index] ?? 0) + bytes;
          if ((this.passed[index] ?? 0) >= cutAt) close();
        };
        const both = [pipe(peer, target, count), pipe(target, peer, count)];
        this.#passing.push(Promise.all(both).then(close));
      }
    } catch {
      // It was closed.
    }
  }
}

async function pipe(from: Deno.Conn, to: Deno.Conn, count: (bytes: number) => void): Promise<void> {
  const buffer = new Uint8Array(16_384);
  try {
    for (let read = await from.read(buffer); read !== null; read = await from.read(buffer)) {
      await writeAll(to, buffer.subarray(0, read));
      count(read);
    }
    await to.closeWrite();
  } catch {
    closeQuietly(to);
  }
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed before.
  }
}
