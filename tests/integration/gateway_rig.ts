/**
 * A real listener on a free port, with a gateway behind it and actors that stand in for the rest of the master.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ClusterMessage } from "../../master/cluster/messages.ts";
import type { RegistrarMessage } from "../../master/experiments/messages.ts";
import { listen, type Listener, type ListenerOptions } from "../../master/gateway/listener.ts";
import { TokenCheck } from "../../master/gateway/tokens.ts";
import { newTokens, type Tokens } from "../../master/gateway/tokens_file.ts";
import { gatewayTree } from "../../master/gateway/tree.ts";
import type { StoreMessage } from "../../master/store/messages.ts";
import type { Ref } from "../../shared/actor/actor.ts";
import { childSpec, supervisor } from "../../shared/actor/supervisor.ts";
import { System } from "../../shared/actor/system.ts";
import { epochOf } from "../../shared/model/ids.ts";
import { RealLoop } from "../../shared/platform/real_loop.ts";
import { type LiveEntry, type ToClient, toClient } from "../../shared/protocol/client_envelopes.ts";
import { decodeFrame, encodeFrames } from "../../shared/protocol/codec.ts";
import type { LiveMessage } from "../../master/cluster/messages.ts";

export const EPOCH = epochOf("0123456789abcdef0123456789abcdef", 1, "0a0b0c0d");

/** What a test may change. */
export interface RigOptions extends Partial<ListenerOptions> {
  /** The cluster says its status only when it is told to. */
  readonly isStarting?: boolean;
  /** Those of another rig: the same master, started again. */
  readonly tokens?: Tokens;
  /** What live subscribers see besides. */
  readonly entries?: readonly LiveEntry[];
}

/** A listener and the master that stands behind it. */
export class GatewayRig {
  readonly tokens: Tokens;
  readonly cluster: ClusterMessage[] = [];
  readonly log: string[] = [];
  readonly listener: Listener;
  readonly system: System;
  readonly stops: number[] = [];
  readonly #feeds: Ref<LiveMessage>[] = [];
  readonly #waiting: { readonly holds: () => boolean; readonly done: () => void }[] = [];
  readonly #entries: readonly LiveEntry[];
  readonly #ended: Promise<void>;
  #closed: Promise<void> | undefined;

  constructor(options: RigOptions = {}) {
    const { isStarting = false, entries = [], tokens = newTokens(), ...rest } = options;
    this.#entries = entries;
    this.tokens = tokens;
    const check = new TokenCheck(this.tokens);
    const result = listen({ hostname: "127.0.0.1", port: 0, check, assets: [], ...rest });
    assert.ok(result.ok, JSON.stringify(result));
    this.listener = result.listener;
    const rootExited = Promise.withResolvers<void>();
    this.#ended = rootExited.promise;
    this.system = new System(new RealLoop(), "gateway", {
      log: (level, path, text) => void this.log.push(`${level} ${path}: ${text}`),
      rootExited: () => rootExited.resolve(),
    });
    this.#start(isStarting);
  }

  get socketUrl(): string {
    return `${this.listener.url.replace("http", "ws")}/socket`;
  }

  /** The cluster's status, and what else is to be seen. */
  announce(): void {
    const value = {
      epoch: EPOCH,
      commit: 0,
      queue: { pending: 0, delayed: 0, running: 0 },
      store: { state: "ready", reason: "" },
      startedAtMs: Date.now(),
    };
    this.show([{ topic: "status", key: "status", value }, ...this.#entries]);
  }

  /** Live values. */
  show(entries: readonly LiveEntry[]): void {
    for (const feed of this.#feeds) this.system.post(feed, { type: "live", entries });
  }

  /** Waits until something holds about what the cluster was told. */
  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    await new Promise<void>((done) => this.#waiting.push({ holds, done }));
  }

  /** Opens a socket as a program would. */
  connect(
    token: string | undefined,
    protocols: string[] = ["espalier.1"],
    headers = {},
    client?: Deno.HttpClient,
  ): TestSocket {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const options: WebSocketOptions = {
      protocols,
      headers: { ...authorization, ...headers },
      ...client === undefined ? {} : { client },
    };
    // With the types of pages loaded too, `new WebSocket` is known only as pages have it, without headers.
    return new TestSocket(Reflect.construct(WebSocket, [this.socketUrl, options]));
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.listener.url}${path}`, { headers, redirect: "manual" });
  }

  /** Ends once, however often it is asked to. */
  async end(): Promise<void> {
    this.system.stop(5_000);
    await this.#ended;
    await (this.#closed ??= this.listener.close());
  }

  #start(isStarting: boolean): void {
    const permanent = { restart: "permanent", shutdownMs: 1_000 } as const;
    const attach = (feed: Ref<LiveMessage>) => void this.#feeds.push(feed);
    this.system.start(
      "master",
      supervisor({
        strategy: "rest_for_one",
        intensity: { restarts: 10, windowMs: 60_000 },
        children: [
          childSpec<StoreMessage>({
            ...permanent,
            name: "store",
            start: () => () => ({ receive: () => {} }),
          }),
          childSpec<ClusterMessage>({
            ...permanent,
            name: "cluster",
            start: () => () => ({
              receive: (message) => {
                if (message.type === "attach_feed") {
                  attach(message.feed);
                  if (!isStarting) this.announce();
                }
                this.#clusterHeard(message);
              },
            }),
          }),
          childSpec<RegistrarMessage>({
            ...permanent,
            name: "experiments",
            start: () => () => ({ receive: () => {} }),
          }),
          childSpec({
            ...permanent,
            name: "gateway",
            start: (siblings) =>
              gatewayTree({
                store: siblings.get<StoreMessage>("store"),
                cluster: siblings.get<ClusterMessage>("cluster"),
                registrar: siblings.get<RegistrarMessage>("experiments"),
                gate: this.listener.gate,
                post: (to, message) => this.system.post(to, message),
                heartbeatMs: 10_000,
                stopMaster: (graceMs) => void this.stops.push(graceMs),
                inspect: () => this.system.inspect(),
              }),
          }),
        ],
      }),
    );
  }

  #clusterHeard(message: ClusterMessage): void {
    this.cluster.push(message);
    if (message.type === "list_workers") {
      const reply = { ok: true, value: [], commit: 1 } as const;
      this.system.post(message.from, { type: "command_answered", token: message.token, reply });
    }
    for (const each of this.#waiting.splice(0)) {
      if (each.holds()) each.done();
      else this.#waiting.push(each);
    }
  }
}

/** A client's socket whose events a test can wait for. */
export class TestSocket {
  readonly #socket: WebSocket;
  readonly #envelopes: ToClient[] = [];
  #told = () => {};
  readonly closes: number[] = [];
  readonly opened: Promise<void>;
  /** The code with which it was closed. */
  readonly closed: Promise<number>;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    const opened = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<number>();
    this.opened = opened.promise;
    this.closed = closed.promise;
    socket.onopen = () => opened.resolve();
    socket.onerror = () => {};
    socket.onmessage = ({ data }) => {
      assert.ok(data instanceof ArrayBuffer);
      const frame = decodeFrame(new Uint8Array(data), toClient);
      assert.ok(frame.ok);
      this.#envelopes.push(...frame.envelopes);
      this.#told();
    };
    socket.onclose = (event) => {
      this.closes.push(event.code);
      closed.resolve(event.code);
    };
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  /** The first envelope for which something holds; it is taken away. */
  async next<T extends ToClient>(is: (envelope: ToClient) => envelope is T): Promise<T> {
    for (;;) {
      const found = this.#envelopes.find(is);
      if (found !== undefined) {
        this.#envelopes.splice(this.#envelopes.indexOf(found), 1);
        return found;
      }
      await new Promise<void>((told) => this.#told = told);
    }
  }

  say(...envelopes: readonly unknown[]): void {
    for (const frame of encodeFrames(envelopes)) this.#socket.send(frame);
  }

  sayRaw(data: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(data);
  }

  close(): void {
    this.#socket.close();
  }
}
