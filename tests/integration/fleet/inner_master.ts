/**
 * A master within the test's process, over the real listener and a real store, so that faults can be put into it.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { type Client, connect } from "../../../client/mod.ts";
import type { Gate } from "../../../master/gateway/door.ts";
import { listen, type Listener } from "../../../master/gateway/listener.ts";
import { TokenCheck } from "../../../master/gateway/tokens.ts";
import { newTokens } from "../../../master/gateway/tokens_file.ts";
import { gatewayTree } from "../../../master/gateway/tree.ts";
import { SqliteStore } from "../../../master/store/sqlite/sqlite_store.ts";
import type { Store } from "../../../master/store/store.ts";
import { masterTree } from "../../../master/tree.ts";
import type { Ref } from "../../../shared/actor/actor.ts";
import { supervisor } from "../../../shared/actor/supervisor.ts";
import { type ActorView, System } from "../../../shared/actor/system.ts";
import { RealLoop } from "../../../shared/platform/real_loop.ts";
import { builtinExecutor } from "../../../worker/executors/builtin.ts";
import { startWorker } from "../../../worker/start.ts";

const SETTINGS = { heartbeatMs: 3_000, lostAfterMs: 10_000, prefetchMax: 16, acceptLoss: false };

/** What a test may put between the master and the world. */
export interface Between {
  readonly store?: (real: Store) => Store;
  readonly gate?: (real: Gate) => Gate;
}

/** A master whose actors can be made to crash. */
export class InnerMaster {
  readonly folder = Deno.makeTempDirSync({ prefix: "espalier-inner-" });
  readonly log: string[] = [];
  readonly #tokens = newTokens();
  readonly #listener: Listener;
  readonly #system: System;
  readonly #ended = Promise.withResolvers<void>();
  readonly #leaving: (() => Promise<unknown>)[] = [];
  #fatal: string | undefined;
  #isEnding = false;

  constructor(between: Between = {}) {
    const listening = listen({
      hostname: "127.0.0.1",
      port: 0,
      check: new TokenCheck(this.#tokens),
      assets: [],
    });
    ok(listening.ok);
    this.#listener = listening.listener;
    this.#system = new System(new RealLoop(), crypto.randomUUID(), {
      log: (level, path, text) => void this.log.push(`${level} ${path}: ${text}`),
      rootExited: () => this.#ended.resolve(),
    });
    const post = <M>(to: Ref<M>, message: M) => this.#system.post(to, message);
    const real = new SqliteStore({ folder: this.data });
    const gate = between.gate?.(this.#listener.gate) ?? this.#listener.gate;
    const tree = masterTree({
      store: between.store?.(real) ?? real,
      post,
      fatal: (reason) => this.#fatal = reason,
      gateway: (above) =>
        gatewayTree({
          ...above,
          gate,
          post,
          heartbeatMs: SETTINGS.heartbeatMs,
          stopMaster: () => this.#system.stop(0),
          inspect: () => this.#system.inspect(),
        }),
    }, SETTINGS);
    this.#system.start("master", supervisor(tree));
  }

  get data(): string {
    return `${this.folder}/master`;
  }

  get url(): string {
    return this.#listener.url;
  }

  async client(): Promise<Client> {
    const client = await connect({ url: this.#listener.url, token: this.#tokens.admin });
    this.#leaving.push(() => client.close());
    return client;
  }

  /** A worker over a real socket that has the built-in evaluators. */
  worker(name: string, slots: number): void {
    const worker = startWorker({
      masters: [this.#listener.url],
      token: this.#tokens.worker,
      dataFolder: `${this.folder}/${name}`,
      slots,
      executors: [builtinExecutor()],
      log: () => {},
    });
    this.#leaving.push(() => {
      worker.stop(0);
      return worker.stopped;
    });
  }

  /** The actors whose paths match, as they live now. */
  actors(path: RegExp): readonly Ref<never>[] {
    const root = this.#system.inspect();
    return root === undefined ? [] : all(root).filter((each) => path.test(each.path));
  }

  /** Makes actors crash, by a message that nobody could send from outside: reading it throws. */
  crash(path: RegExp): void {
    const actors = this.actors(path);
    ok(actors.length > 0, `nothing matches ${path}`);
    for (const actor of actors) this.#system.post(actor, poison(actor.path));
  }

  /** Ends everything in good order, once; the store can be read after it. */
  async end(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    for (const leave of this.#leaving.reverse()) await leave();
    this.#system.stop(15_000);
    await this.#ended.promise;
    await this.#listener.close();
    equal(this.#fatal, undefined);
  }

  async remove(): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

function all(view: ActorView): ActorView[] {
  return [view, ...view.children.flatMap(all)];
}

function poison(path: string): never {
  const refuse = () => {
    throw new Error(`a fault was put into ${path}`);
  };
  // It claims to be any message; whoever looks at it finds out.
  return new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse }) as never;
}
