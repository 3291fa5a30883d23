/**
 * A master as a process: the tree over real sockets, a real disk and the real clock.
 *
 * @module
 */
import { supervisor } from "../shared/actor/supervisor.ts";
import type { ExitReason, LogFields, LogLevel, Ref } from "../shared/actor/actor.ts";
import { System } from "../shared/actor/system.ts";
import { RealLoop } from "../shared/platform/real_loop.ts";
import { type ArtifactRoom, openArtifactRoom } from "./artifacts/artifact_room.ts";
import { Cleaning } from "./artifacts/cleaning.ts";
import { tellingCheckpoints } from "./store/named_checkpoints.ts";
import type { Asset } from "./gateway/pages.ts";
import { type Entrance, type Gate } from "./gateway/door.ts";
import { listen, type Listener } from "./gateway/listener.ts";
import { TokenCheck } from "./gateway/tokens.ts";
import { openTokens } from "./gateway/tokens_file.ts";
import { watchTokens } from "./gateway/tokens_watch.ts";
import { gatewayTree } from "./gateway/tree.ts";
import { type DiskLogs, startLogs } from "./logs/disk/start.ts";
import { SqliteStore } from "./store/sqlite/sqlite_store.ts";
import { masterTree } from "./tree.ts";

/** Where others on this machine find a running master. */
export const MASTER_FILE = "master.json";
/** Where artifacts lie in the data folder. */
export const ARTIFACTS_FOLDER = "artifacts";
/** The port unless told: one that no service is registered for. */
export const PORT_DEFAULT = 4400;
/** How many attempts may wait on a worker beyond its slots, unless told. */
export const PREFETCH_DEFAULT = 256;
/** The process ends with this where its tree has given up: whoever runs it starts it again. */
export const EXIT_ESCALATED = 70;
/** The process ends with this where it may not go on over its store. */
export const EXIT_STORE = 71;
/** How long the tree may take to stop beyond the grace period. */
const SHUTDOWN_MS = 15_000;

/** How to start a master. */
export interface MasterStartOptions {
  readonly dataFolder: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly insecure?: boolean;
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Names by which a proxy or a tunnel passes requests on. */
  readonly names?: readonly string[];
  readonly heartbeatMs: number;
  readonly lostAfterMs: number;
  readonly prefetchMax: number;
  readonly acceptLoss: boolean;
  /** Bytes of one artifact. */
  readonly artifactBytesMax?: number | undefined;
  /** Bytes of all artifacts; by default the disk is the limit. */
  readonly artifactsBytesMax?: number | undefined;
  /** After this time an artifact that nothing names is removed. */
  readonly unusedArtifactMs?: number | undefined;
  /** What is kept of what evaluators print: so many bytes in all, and for so long. */
  readonly logsLimitBytes?: number | undefined;
  readonly logsKeptMs?: number | undefined;
  readonly assets: readonly Asset[];
  readonly log?: (level: LogLevel, path: string, text: string, fields: LogFields) => void;
}

/** A master that runs. */
export interface RunningMaster {
  readonly url: string;
  readonly port: number;
  /** Stops from the gateway up to the store. @returns the exit code */
  stop(graceMs: number): Promise<number>;
  /** Resolves with the exit code when the master has ended, by itself or by `stop`. */
  readonly ended: Promise<number>;
}

/** A master, or why there is none. */
export type MasterStarted = { readonly ok: true; readonly master: RunningMaster } | {
  readonly ok: false;
  readonly message: string;
};

/** Starts a master; answers when it takes workers and clients, or cannot. */
export async function startMaster(options: MasterStartOptions): Promise<MasterStarted> {
  try {
    // What is in it is its owner's alone: tokens, and everything that was ever evaluated.
    await Deno.mkdir(options.dataFolder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      message: `the data folder ${options.dataFolder} cannot be made: ${reason}; choose another with --data`,
    };
  }
  // What is made from now on is its owner's alone, in a folder that others may look into as well.
  if (Deno.build.os !== "windows") Deno.umask(0o077);
  const tokens = await openTokens(options.dataFolder);
  if (!tokens.ok) return { ok: false, message: `${tokens.message}; ${tokens.advice}` };
  const check = new TokenCheck(tokens.tokens);
  const artifacts = await openRoom(options);
  if (typeof artifacts === "string") return { ok: false, message: artifacts };
  const listening = listen({
    hostname: options.host,
    port: options.port,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    insecure: options.insecure ?? false,
    check,
    assets: options.assets,
    artifacts,
    names: options.names ?? [],
    trouble: (message) => options.log?.("warning", "master/listener", message, {}),
  });
  if (!listening.ok) {
    await artifacts.close();
    return { ok: false, message: `${listening.error.message}; ${listening.error.advice}` };
  }
  return await new MasterProcess(options, listening.listener, check, artifacts).begin();
}

/** The room of artifacts, or why there is none. */
async function openRoom(
  { dataFolder, artifactBytesMax, artifactsBytesMax }: MasterStartOptions,
): Promise<ArtifactRoom | string> {
  const folder = `${dataFolder}/${ARTIFACTS_FOLDER}`;
  try {
    return await openArtifactRoom({ folder, artifactBytesMax, artifactsBytesMax });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `the folder of artifacts ${folder} cannot be used: ${reason}`;
  }
}

/** One life of the tree, and what must be let go when it ends. */
class MasterProcess {
  readonly #options: MasterStartOptions;
  readonly #listener: Listener;
  readonly #endWatch: () => Promise<void>;
  readonly #logs: DiskLogs;
  readonly #store: SqliteStore;
  readonly #artifacts: ArtifactRoom;
  readonly #cleaning: Cleaning;
  readonly #system: System;
  readonly #ended = Promise.withResolvers<number>();
  readonly #opened = Promise.withResolvers<string | undefined>();
  #exitCode = 0;
  #isLeaving = false;
  #isOpen = false;
  #isFatal = false;

  constructor(options: MasterStartOptions, listener: Listener, check: TokenCheck, artifacts: ArtifactRoom) {
    this.#options = options;
    this.#listener = listener;
    this.#store = new SqliteStore({ folder: options.dataFolder });
    this.#artifacts = artifacts;
    this.#cleaning = new Cleaning({
      room: artifacts,
      used: (hashes) => this.#usedArtifacts(hashes),
      unusedMs: options.unusedArtifactMs,
      log: (level, text) => options.log?.(level, "master/artifacts", text, {}),
    });
    this.#logs = startLogs({
      folder: `${options.dataFolder}/logs`,
      limitBytes: options.logsLimitBytes,
      keptMs: options.logsKeptMs,
      say: (level, text) => options.log?.(level, "master/logs", text, {}),
    });
    this.#endWatch = watchTokens({
      folder: options.dataFolder,
      check,
      looked: () => listener.expire(),
      log: (level, text) => options.log?.(level, "master/tokens", text, {}),
    });
    this.#system = new System(new RealLoop(), crypto.randomUUID(), {
      // What falls down with a tree that may not go on is no news beside the reason.
      log: (...words) => this.#isFatal ? undefined : options.log?.(...words),
      rootExited: (reason) => this.#rootExited(reason),
    });
  }

  async begin(): Promise<MasterStarted> {
    const { dataFolder, heartbeatMs, lostAfterMs, prefetchMax, acceptLoss } = this.#options;
    const post = <M>(to: Ref<M>, message: M) => this.#system.post(to, message);
    const tree = masterTree({
      store: tellingCheckpoints(this.#store, (sha256) => this.#cleaning.checkpointNamed(sha256)),
      isOlderCopy: () => this.#cleaning.hold(),
      post,
      fatal: (reason) => this.#fatal(reason),
      gateway: (above) =>
        gatewayTree({
          ...above,
          gate: this.#gate(),
          post,
          heartbeatMs,
          stopMaster: (graceMs) => void this.stop(graceMs),
          logs: this.#logs.logs,
          inspect: () => this.#system.inspect(),
        }),
    }, { heartbeatMs, lostAfterMs, prefetchMax, acceptLoss });
    this.#system.start("master", supervisor(tree));
    const refusal = await this.#opened.promise;
    if (refusal !== undefined) {
      await this.#ended.promise;
      return { ok: false, message: refusal };
    }
    const { url, port } = this.#listener;
    await Deno.writeTextFile(`${dataFolder}/${MASTER_FILE}`, JSON.stringify({ url, pid: Deno.pid }));
    return {
      ok: true,
      master: { url, port, stop: (graceMs) => this.stop(graceMs), ended: this.#ended.promise },
    };
  }

  /** Stops the tree from its last child to its first. */
  stop(graceMs: number): Promise<number> {
    this.#system.stop(graceMs + SHUTDOWN_MS);
    return this.#ended.promise;
  }

  #gate(): Gate {
    return {
      attach: (entrance: Entrance | undefined) => {
        this.#listener.gate.attach(entrance);
        if (entrance === undefined) return;
        this.#isOpen = true;
        // Not before: the store may turn out to belong to another master.
        this.#cleaning.begin();
        this.#opened.resolve(undefined);
      },
      unready: (reasons) => this.#listener.gate.unready(reasons),
    };
  }

  /** Asked past the store's actor: questions may overlap commits, and one that finds the store closed only fails. */
  #usedArtifacts(hashes: readonly string[]): Promise<ReadonlySet<string>> {
    return new Promise((resolve, reject) => {
      this.#store.query("artifacts_used", { hashes }, (result) => {
        if (result.ok) resolve(new Set(result.value.used));
        else reject(new Error(result.error.message));
      });
    });
  }

  #fatal(reason: string): void {
    if (this.#isFatal) return;
    this.#isFatal = true;
    // Before it was open, whoever started it is told.
    if (this.#isOpen) this.#options.log?.("error", "master", `the master ends: ${reason}`, {});
    this.#opened.resolve(reason);
    this.#exitCode = EXIT_STORE;
    // Whatever the tree still wants to do, it may not do it over this store.
    queueMicrotask(() => {
      this.#system.halt();
      void this.#letGo();
    });
  }

  #rootExited(reason: ExitReason): void {
    if (reason.type === "crashed") {
      this.#exitCode = EXIT_ESCALATED;
      this.#opened.resolve(`the master gave up: ${reason.message}`);
    }
    void this.#letGo();
  }

  async #letGo(): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#opened.resolve("the master was stopped before it was ready");
    await this.#endWatch();
    await this.#logs.close();
    await this.#cleaning.end();
    // A transfer that goes on would keep the listener open.
    await this.#artifacts.close();
    await this.#listener.close();
    this.#ended.resolve(this.#exitCode);
  }
}
