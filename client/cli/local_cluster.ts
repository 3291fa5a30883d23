/**
 * A whole cluster on this machine, for one command: a master in this process and workers beside it.
 *
 * @module
 */
import { readTokens } from "../find_master.ts";
import { Failure } from "./failure.ts";
import { LocalWorker } from "./local_worker.ts";
import { logLines } from "./log_lines.ts";
import type { CliContext } from "./context.ts";
import type { RunningMaster } from "./roles.ts";

/** How often each side of a local cluster says that it is there, and when a silent worker is given up. */
const HEARTBEAT_MS = 10_000;
const LOST_AFTER_MS = 30_000;
/** Attempts that may wait on a worker beyond its slots. */
const PREFETCH_MAX = 256;
/** How long what runs has to finish when the cluster is stopped. */
export const CLUSTER_GRACE_MS = 5_000;

/** What a local cluster is made of. */
export interface LocalClusterOptions {
  readonly dataFolder: string;
  readonly port: number;
  readonly workers: number;
  readonly slots: number;
}

/** A master and its workers. */
export class LocalCluster {
  readonly #context: CliContext;
  readonly #options: LocalClusterOptions;
  readonly #gaveUp = Promise.withResolvers<string>();
  #workers: readonly LocalWorker[] = [];
  #left = 0;

  private constructor(readonly master: RunningMaster, context: CliContext, options: LocalClusterOptions) {
    this.#context = context;
    this.#options = options;
  }

  /**
   * Starts a master; its workers are started by `startWorkers`.
   *
   * @throws Failure that says why it cannot
   */
  static async start(context: CliContext, options: LocalClusterOptions): Promise<LocalCluster> {
    const started = await context.roles.startMaster({
      dataFolder: options.dataFolder,
      host: "127.0.0.1",
      port: options.port,
      insecure: false,
      heartbeatMs: HEARTBEAT_MS,
      lostAfterMs: LOST_AFTER_MS,
      prefetchMax: PREFETCH_MAX,
      acceptLoss: false,
      log: logLines(context.terminal, "warning"),
    });
    if (!started.ok) throw new Failure(started.message);
    return new LocalCluster(started.master, context, options);
  }

  /** Fulfilled, with why, where no worker is left and none will come. */
  get gaveUp(): Promise<string> {
    return this.#gaveUp.promise;
  }

  async startWorkers(): Promise<void> {
    const { dataFolder, workers, slots } = this.#options;
    const { roles, terminal } = this.#context;
    await Deno.mkdir(`${dataFolder}/workers`, { recursive: true });
    this.#left = workers;
    this.#workers = Array.from({ length: workers }, (_, index) => {
      const name = `worker ${index + 1}`;
      return new LocalWorker({
        program: roles.program,
        master: this.master.url,
        tokenFile: `${dataFolder}/tokens.json`,
        folder: `${dataFolder}/workers/${index + 1}`,
        slots,
        graceMs: CLUSTER_GRACE_MS,
        hasGpus: index === 0,
      }, {
        restarts: (why) => terminal.note(`${name} died: ${why}; it is started again`),
        gaveUp: (why) => this.#workerGaveUp(name, why),
      });
    });
  }

  /** The address of the status page that logs the browser in; the plain address where there are no tokens to read. */
  async loginUrl(): Promise<string> {
    return await loginUrl(this.master.url, this.#options.dataFolder);
  }

  /** Lets workers finish or hand back what they run, then stops the master. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    await this.master.stop(0);
  }

  /** Ends the workers at once; the master ends with this process. */
  kill(): void {
    for (const worker of this.#workers) worker.kill();
  }

  #workerGaveUp(name: string, why: string): void {
    this.#context.terminal.note(`${name} is given up: ${why}`);
    this.#left -= 1;
    if (this.#left === 0) this.#gaveUp.resolve(`no worker is left: ${why}`);
  }
}

/** The address of a master's status page that logs the browser in. The page only watches: the token is of role view. */
export async function loginUrl(url: string, dataFolder: string): Promise<string> {
  const tokens = await readTokens(`${dataFolder}/tokens.json`);
  const token = tokens?.["view"];
  return typeof token === "string" ? `${url}/login?token=${token}` : url;
}
