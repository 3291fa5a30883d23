/**
 * `worker`: offers this machine to a master.
 *
 * @module
 */
import { type Command, Option } from "commander";
import type { LogLevel } from "../../../shared/actor/actor.ts";
import { DEVICE_KINDS, type DeviceKind } from "../../../shared/model/devices.ts";
import { readAllowed } from "../../../shared/model/permissions.ts";
import type { ModulePermissions } from "../../../shared/model/task.ts";
import { SLOTS_MAX } from "../../../shared/protocol/limits.ts";
import { findMaster, freshToken, type MasterWords } from "../../find_master.ts";
import { gather, positiveSpan, span, spanOption, wholeNumber } from "../arguments.ts";
import type { AskOptions, CliContext } from "../context.ts";
import { EXIT, Failure, UsageError } from "../failure.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { type LifelineEnd, lifelineOption, whenInputCloses } from "../lifeline.ts";
import { LOG_LEVELS, logLines } from "../log_lines.ts";
import { outputOption, printAnswer } from "../output.ts";
import { coreAmount, deviceNames, gatherLabels, memoryAmount } from "../quantities.ts";
import type { WorkerOptions } from "../roles.ts";
import { dataFolderOf, masterWords, withMasterOptions } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { STOP_GRACE_DEFAULT_MS } from "./fleet.ts";

/**
 * A worker whose parent has died ends after this time at the latest. It gives nothing more time to finish: the master was
 * in the parent, and a run that begins anew waits for this worker's folder.
 */
const ORPHAN_END_MS = 3_000;

interface WorkerVerbOptions extends AskOptions {
  readonly slots: number;
  readonly modulesWithin?: readonly string[];
  readonly allowModules?: readonly string[];
  readonly commands: boolean;
  readonly limits: boolean;
  readonly gpus?: readonly string[];
  readonly gpuKind: DeviceKind;
  readonly gpuInterval?: number;
  readonly cpus?: number;
  readonly memory?: number;
  readonly label?: readonly string[];
  readonly timeLimit?: number;
  readonly idleTimeout?: number;
  readonly codeCache?: number;
  readonly grace: number;
  readonly folderWithin: number;
  readonly stdinLifeline?: boolean;
  readonly logLevel: LogLevel;
}

/** Adds the verb. */
export function addWorkerVerb(program: Command, context: CliContext): void {
  const cores = navigator.hardwareConcurrency;
  withMasterOptions(
    program.command("worker"),
    "a folder of this worker's own, for its name and its results (ESPALIER_DATA)",
  )
    .description("evaluate trials for a master until told to stop")
    .option("--slots <n>", "attempts at a time", wholeNumber(1, SLOTS_MAX), cores)
    .option(
      "--modules-within <folder>",
      "run evaluators' modules from this folder alone; may be repeated",
      gather,
    )
    .option(
      "--allow-modules <permission=entry>",
      "let modules do what their spec asks for, such as net=example.org:443; may be repeated",
      gather,
    )
    .option("--no-commands", "run no evaluators that are commands or Python, which may do what this user may")
    .option("--no-limits", "do not hold attempts to the memory and the cores that their tasks ask for")
    .option(
      "--gpus <list>",
      'which GPUs to offer: indexes or uuids, or "none"; by default all that nvidia-smi lists',
      deviceNames,
    )
    .addOption(
      new Option("--gpu-kind <kind>", "what the GPUs of --gpus are").choices(DEVICE_KINDS).default("cuda"),
    )
    .addOption(
      new Option("--gpu-interval <duration>", "how often GPUs are looked at").argParser(span).hideHelp(),
    )
    .option("--cpus <n>", "cores to offer to tasks that ask for some; by default all", coreAmount)
    .option("--memory <amount>", "memory to offer, such as 16GiB; by default all", memoryAmount)
    .option("--label <name=value>", "a label that tasks may ask for; may be repeated", gatherLabels)
    .option(
      "--time-limit <duration>",
      "leave before so much time has passed; tasks that need longer are not taken",
      positiveSpan,
    )
    .option(
      "--code-cache <amount>",
      "how much of experiments' code to keep unpacked; by default 10GiB",
      memoryAmount,
    )
    .option("--idle-timeout <duration>", "leave when nothing was to do for so long", positiveSpan)
    .addOption(
      spanOption("--grace <duration>", "how long what runs has to finish at a stop", STOP_GRACE_DEFAULT_MS),
    )
    .addOption(
      new Option("--log-level <level>", "from which level on to print").choices(LOG_LEVELS).default("info"),
    )
    .addOption(
      new Option("--folder-within <duration>", "how long to wait for a folder that another process holds")
        .argParser(span).default(0).hideHelp(),
    )
    .addOption(lifelineOption())
    .addOption(outputOption())
    .action((options: WorkerVerbOptions) => work(options, context));
}

async function work(options: WorkerVerbOptions, context: CliContext): Promise<void> {
  const { terminal, roles } = context;
  const words = await wordsOf(options, terminal);
  const { masters, token } = await findMaster(words, ["worker"]);
  const dataFolder = await workerFolder(dataFolderOf(options, terminal));
  const worker = roles.startWorker({
    masters,
    token,
    freshToken: freshToken(words, ["worker"]),
    caCerts: words.caCerts,
    insecure: words.insecure,
    dataFolder,
    folderWithinMs: options.folderWithin,
    slots: options.slots,
    modulesWithin: options.modulesWithin,
    modulesAllowed: allowedOf(options.allowModules ?? []),
    commands: options.commands,
    limits: options.limits,
    codeCacheBytes: options.codeCache,
    ...offerOf(options),
    log: logLines(terminal, options.logLevel),
  });
  const ends = listenForInterrupts({
    onFirst: () => {
      terminal.note("stopping: what runs is finished or handed back (once more to end now)");
      worker.stop(options.grace);
    },
    onSecond: () => Deno.exit(EXIT.interrupted),
  });
  if (options.stdinLifeline === true) void whenInputCloses((end) => leave(end));
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

  function leave(end: LifelineEnd): void {
    if (end === "told") return worker.stop(options.grace);
    worker.stop(0);
    setTimeout(() => Deno.exit(EXIT.failure), ORPHAN_END_MS);
  }
}

function allowedOf(words: readonly string[]): ModulePermissions {
  const read = readAllowed(words);
  if (!read.ok) throw new UsageError(`--allow-modules: ${read.message}`);
  return read.allowed;
}

/** What it offers, and for how long. */
function offerOf(options: WorkerVerbOptions): Partial<WorkerOptions> {
  const { gpus, gpuKind: kind, gpuInterval: intervalMs, cpus, memory, label, timeLimit, grace } = options;
  if (gpus === undefined && kind !== "cuda") {
    throw new UsageError(`--gpu-kind ${kind} needs --gpus: only GPUs of NVIDIA are found by themselves`);
  }
  const wish = gpus === undefined
    ? undefined
    : gpus.length === 0
    ? { type: "none" } as const
    : { type: "named", names: gpus, kind } as const;
  return {
    gpus: { wish, intervalMs },
    pool: {
      ...(cpus === undefined ? {} : { cpus }),
      ...(memory === undefined ? {} : { memoryBytes: memory }),
    },
    labels: label,
    limit: timeLimit === undefined ? undefined : { timeMs: timeLimit, graceMs: grace },
    idleTimeoutMs: options.idleTimeout,
  };
}

/** `--data` is the worker's: it names a master only where it is a master's folder and no address was given. */
async function wordsOf(options: WorkerVerbOptions, terminal: Terminal): Promise<MasterWords> {
  const { data, ...others } = options;
  return data !== undefined && await isMasters(data)
    ? { ...masterWords(others, terminal), dataFolder: data }
    : masterWords(others, terminal);
}

/** In the folder of a master a worker takes a folder of its own: each has a lock and a name there. */
async function workerFolder(dataFolder: string): Promise<string> {
  return await isMasters(dataFolder) ? `${dataFolder}/worker` : dataFolder;
}

async function isMasters(folder: string): Promise<boolean> {
  try {
    await Deno.stat(`${folder}/tokens.json`);
    return true;
  } catch {
    return false;
  }
}
