/**
 * A run with a master and workers of its own.
 *
 * @module
 */
import type { ExperimentSummary } from "../../shared/model/experiment.ts";
import { readLocalMaster } from "../find_master.ts";
import { type Client, connect, type ExperimentHandle } from "../mod.ts";
import type { CliContext } from "./context.ts";
import { EXIT, Failure, UsageError } from "./failure.ts";
import { listenForInterrupts } from "./interrupts.ts";
import { LocalCluster } from "./local_cluster.ts";
import { whyNoResult } from "./no_result.ts";
import { printEnd } from "./run_end.ts";
import { type GoodSpec, runOnMaster, type RunOptions } from "./run_on_master.ts";
import { dataFolderOf } from "./session.ts";
import { trialsCounted } from "./summary.ts";
import { findUnfinished } from "./unfinished.ts";
import { PauseWatch, watchExperiment } from "./watch.ts";

/** Processes to evaluate with, where the machine has more than one core. */
const WORKERS_DEFAULT = 2;
/** How long to try whether a master that once ran in the folder still does. */
const STILL_THERE_MS = 1_500;

/** The master ends with the run: nobody could be asked to resume. */
const HOW_TO_RESUME = "mend the evaluator and run the same command again: it goes on";

/** How a local run came to its end. */
type End =
  | {
    readonly type: "over";
    readonly summary: ExperimentSummary;
    readonly noResult: string | undefined;
  }
  | { readonly type: "interrupted" }
  | { readonly type: "failed"; readonly message: string };

/** Runs an experiment on this machine. */
export async function runLocally(loaded: GoodSpec, options: RunOptions, context: CliContext): Promise<void> {
  const dataFolder = dataFolderOf(options, context.terminal);
  const present = await findRunning(dataFolder);
  if (present !== undefined) {
    if (options.workers !== undefined || options.slots !== undefined) {
      throw new UsageError(
        `a master with its own workers runs in ${dataFolder} already: leave out --workers and --slots`,
      );
    }
    context.terminal.note(`a master runs in ${dataFolder} (${present}): the experiment is submitted to it`);
    return await runOnMaster(loaded, { ...options, master: [present] }, context);
  }
  if (options.detach === true) {
    throw new UsageError(
      "--detach needs a master that stays: start one with espalier master, or name it with --master",
    );
  }
  const workers = options.workers ?? Math.min(WORKERS_DEFAULT, navigator.hardwareConcurrency);
  const slots = options.slots ?? Math.max(1, Math.floor(navigator.hardwareConcurrency / workers));
  const cluster = await LocalCluster.start(context, { dataFolder, port: options.port, workers, slots });
  await new LocalRun(cluster, loaded, dataFolder, options, context).run();
}

/** The address of a master that runs in this folder. */
async function findRunning(dataFolder: string): Promise<string | undefined> {
  const local = await readLocalMaster(dataFolder);
  if (local === undefined) return undefined;
  try {
    const client = await connect({ url: local.url, dataFolder, connectWithinMs: STILL_THERE_MS });
    await client.close();
    return local.url;
  } catch {
    // It was stopped or killed; its file stayed.
    return undefined;
  }
}

class LocalRun {
  readonly #cluster: LocalCluster;
  readonly #loaded: GoodSpec;
  readonly #dataFolder: string;
  readonly #options: RunOptions;
  readonly #context: CliContext;
  readonly #interrupted = Promise.withResolvers<End>();

  constructor(
    cluster: LocalCluster,
    loaded: GoodSpec,
    dataFolder: string,
    options: RunOptions,
    context: CliContext,
  ) {
    this.#cluster = cluster;
    this.#loaded = loaded;
    this.#dataFolder = dataFolder;
    this.#options = options;
    this.#context = context;
  }

  async run(): Promise<void> {
    const ends = this.#listen();
    let end: End;
    try {
      end = await this.#search();
    } finally {
      await this.#cluster.stop();
      ends();
    }
    this.#tellEnd(end);
  }

  #listen(): () => void {
    const { terminal } = this.#context;
    return listenForInterrupts({
      onFirst: () => {
        terminal.note("stopping: what runs is finished or handed back (once more to end now)");
        this.#interrupted.resolve({ type: "interrupted" });
      },
      onSecond: () => {
        this.#cluster.kill();
        Deno.exit(EXIT.interrupted);
      },
    });
  }

  async #search(): Promise<End> {
    const { terminal } = this.#context;
    const client = await connect({ url: this.#cluster.master.url, dataFolder: this.#dataFolder });
    try {
      const pauses = new PauseWatch();
      const handle = await this.#begin(client, pauses);
      terminal.note(`status page: ${await this.#cluster.loginUrl()}`);
      await this.#cluster.startWorkers();
      const over = watchExperiment(client, handle, pauses, terminal).then(async (summary): Promise<End> => ({
        type: "over",
        summary,
        noResult: await whyNoResult(client, summary),
      }));
      over.catch(() => {});
      return await Promise.race([over, this.#interrupted.promise, this.#broken()]);
    } finally {
      await client.close();
    }
  }

  /** Goes on with an unfinished experiment, or begins a new one. */
  async #begin(client: Client, pauses: PauseWatch): Promise<ExperimentHandle> {
    const { terminal } = this.#context;
    const callbacks = { onState: pauses.onState.bind(pauses) };
    const { same, others } = await findUnfinished(client, this.#loaded.checked);
    for (const { experiment } of others) {
      terminal.note(
        `${experiment} of an earlier run goes on too; end it with: espalier cancel ${experiment}`,
      );
    }
    if (same === undefined) {
      const handle = await client.run(this.#loaded.spec, callbacks);
      terminal.note(`${handle.id} begins in ${this.#dataFolder}`);
      return handle;
    }
    const total = same.budgetTrials === null ? "" : ` of ${same.budgetTrials}`;
    terminal.note(
      `${same.experiment} goes on where it stopped: ${trialsCounted(same)}${total} trials are done`,
    );
    if (same.state === "paused") await client.resume(same.experiment);
    return await client.experiment(same.experiment, callbacks);
  }

  /** What ends a run though the experiment is not over. */
  #broken(): Promise<End> {
    const failed = (message: string): End => ({ type: "failed", message });
    return Promise.race([
      this.#cluster.gaveUp.then(failed),
      this.#cluster.master.ended.then((code) =>
        failed(`the master ended with code ${code}; run the command again`)
      ),
    ]);
  }

  #tellEnd(end: End): void {
    const { terminal } = this.#context;
    switch (end.type) {
      case "over":
        printEnd(
          { ...end, space: this.#loaded.spec.space, howToResume: HOW_TO_RESUME },
          this.#options.output,
          this.#context,
        );
        if (this.#options.output === "table") terminal.note(`everything is kept in ${this.#dataFolder}`);
        return;
      case "interrupted":
        terminal.note("stopped; run the same command again to go on");
        this.#context.exitCode = EXIT.interrupted;
        return;
      case "failed":
        throw new Failure(end.message);
    }
  }
}
