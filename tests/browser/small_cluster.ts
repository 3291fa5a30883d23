/**
 * A master and a few workers in this process, over real sockets: for the page to show.
 *
 * @module
 */
import { readPage } from "../../client/dashboard/assets.ts";
import { type Client, connect } from "../../client/mod.ts";
import { type RunningMaster, startMaster } from "../../master/start.ts";
import { openTokens } from "../../master/gateway/tokens_file.ts";
import { type StartedWorker, startWorker } from "../../worker/start.ts";

/** How long what runs has to finish at the end. */
const GRACE_MS = 200;

/** What a small cluster is made of. */
export interface SmallClusterOptions {
  /** Names of workers. */
  readonly workers: readonly string[];
  readonly slots: number;
}

/** A cluster that runs. */
export class SmallCluster {
  private constructor(
    readonly master: RunningMaster,
    readonly client: Client,
    /** Opens the page, logged in. */
    readonly loginUrl: string,
    readonly folder: string,
    readonly workers: readonly StartedWorker[],
  ) {}

  static async start({ workers, slots }: SmallClusterOptions): Promise<SmallCluster> {
    const folder = await Deno.makeTempDir({ prefix: "espalier-page-" });
    const started = await startMaster({
      dataFolder: `${folder}/master`,
      host: "127.0.0.1",
      port: 0,
      heartbeatMs: 1_000,
      lostAfterMs: 30_000,
      prefetchMax: 0,
      acceptLoss: false,
      assets: await readPage(),
    });
    if (!started.ok) throw new Error(started.message);
    const { master } = started;
    const tokens = await openTokens(`${folder}/master`);
    if (!tokens.ok) throw new Error(tokens.message);
    const running = workers.map((name) => {
      const dataFolder = `${folder}/${name}`;
      Deno.mkdirSync(dataFolder, { recursive: true });
      Deno.writeTextFileSync(`${dataFolder}/worker-id`, name);
      const token = tokens.tokens.worker;
      return startWorker({ masters: [master.url], token, dataFolder, slots, log: () => {} });
    });
    const client = await connect({ masters: [master.url], token: tokens.tokens.admin });
    const loginUrl = `${master.url}/login?token=${tokens.tokens.view}`;
    return new SmallCluster(master, client, loginUrl, folder, running);
  }

  async stop(): Promise<void> {
    await this.client.close();
    for (const worker of this.workers) worker.stop(GRACE_MS);
    await Promise.all(this.workers.map((worker) => worker.stopped));
    await this.master.stop(GRACE_MS);
    await Deno.remove(this.folder, { recursive: true });
  }
}
