/**
 * `worker`: offers this machine to a master.
 *
 * @module
 */
import { type Command, Option } from "commander";
import type { LogLevel } from "../../../shared/actor/actor.ts";
import { SLOTS_MAX } from "../../../shared/protocol/limits.ts";
import { findMaster } from "../../find_master.ts";
import { spanOption, wholeNumber } from "../arguments.ts";
import type { AskOptions, CliContext } from "../context.ts";
import { EXIT, Failure } from "../failure.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { lifelineOption, whenInputCloses } from "../lifeline.ts";
import { LOG_LEVELS, logLines } from "../log_lines.ts";
import { outputOption, printAnswer } from "../output.ts";
import { dataFolderOf, masterWords, withMasterOptions } from "../session.ts";
import { STOP_GRACE_DEFAULT_MS } from "./fleet.ts";

interface WorkerVerbOptions extends AskOptions {
  readonly slots: number;
  readonly grace: number;
  readonly stdinLifeline?: boolean;
  readonly logLevel: LogLevel;
}

/** Adds the verb. */
export function addWorkerVerb(program: Command, context: CliContext): void {
  const cores = navigator.hardwareConcurrency;
  withMasterOptions(program.command("worker"))
    .description("evaluate trials for a master until told to stop")
    .option("--slots <n>", "attempts at a time", wholeNumber(1, SLOTS_MAX), cores)
    .addOption(
      spanOption("--grace <duration>", "how long what runs has to finish at a stop", STOP_GRACE_DEFAULT_MS),
    )
    .addOption(
      new Option("--log-level <level>", "from which level on to print").choices(LOG_LEVELS).default("info"),
    )
    .addOption(lifelineOption())
    .addOption(outputOption())
    .action((options: WorkerVerbOptions) => work(options, context));
}

async function work(options: WorkerVerbOptions, context: CliContext): Promise<void> {
  const { terminal, roles } = context;
  const { masters, token } = await findMaster(masterWords(options, terminal), ["worker"]);
  const dataFolder = await workerFolder(dataFolderOf(options, terminal));
  const worker = roles.startWorker({
    masters,
    token,
    dataFolder,
    slots: options.slots,
    log: logLines(terminal, options.logLevel),
  });
  const stop = () => worker.stop(options.grace);
  const ends = listenForInterrupts({
    onFirst: () => {
      terminal.note("stopping: what runs is finished or handed back (once more to end now)");
      stop();
    },
    onSecond: () => Deno.exit(EXIT.interrupted),
  });
  if (options.stdinLifeline === true) void whenInputCloses(stop);
  try {
    context.exitCode = await worker.stopped;
  } catch (error) {
    throw new Failure(error instanceof Error ? error.message : String(error));
  } finally {
    ends();
  }
  printAnswer(terminal, options.output, {
    json: { stopped: true, code: context.exitCode },
    table: () => "the worker has stopped",
    quiet: () => "",
  });
}

/** In the folder of a master a worker takes a folder of its own: each has a lock and a name there. */
async function workerFolder(dataFolder: string): Promise<string> {
  try {
    await Deno.stat(`${dataFolder}/tokens.json`);
    return `${dataFolder}/worker`;
  } catch {
    return dataFolder;
  }
}
