/**
 * `master`: what workers and clients connect to.
 *
 * @module
 */
import { type Command, Option } from "commander";
import type { LogLevel } from "../../../shared/actor/actor.ts";
import { HEARTBEAT_DEFAULT_MS, LOST_DEFAULT_MS } from "../../../shared/protocol/limits.ts";
import { announcementOf, urlElsewhere } from "../announcement.ts";
import { DATA_FOLDER_DEFAULT, gather, spanOption, wholeNumber } from "../arguments.ts";
import type { CliContext } from "../context.ts";
import { EXIT, Failure, UsageError } from "../failure.ts";
import { listenForInterrupts } from "../interrupts.ts";
import { lifelineOption, whenInputCloses } from "../lifeline.ts";
import { loginUrl } from "../local_cluster.ts";
import { LOG_LEVELS, logLines } from "../log_lines.ts";
import { type OutputForm, outputOption, printAnswer } from "../output.ts";
import { respawn } from "../respawn.ts";
import { memoryAmount } from "../quantities.ts";
import type { RunningMaster } from "../roles.ts";
import { STOP_GRACE_DEFAULT_MS } from "./fleet.ts";

/** The port unless told: one that no service is registered for. */
export const PORT_DEFAULT = 4400;
/** Attempts that may wait on a worker beyond its slots, unless told. */
export const PREFETCH_DEFAULT = 256;
/** How much is kept of what evaluators print, unless told. */
export const LOGS_LIMIT_BYTES_DEFAULT = 1024 ** 3;
/** How long it is kept, unless told. */
export const LOGS_KEPT_MS_DEFAULT = 30 * 86_400_000;
/** The largest artifact, unless told. */
export const ARTIFACT_LIMIT_BYTES_DEFAULT = 64 * 1024 ** 3;
/** How long an artifact stays that nothing names, unless told. */
export const UNUSED_ARTIFACTS_MS_DEFAULT = 24 * 3_600_000;
/** And at least: whoever brings one names it after that. */
export const UNUSED_ARTIFACTS_MS_MIN = 60_000;
/** More than this only hides work from the other workers. */
const PREFETCH_MAX = 10_000;

interface MasterVerbOptions {
  readonly data?: string;
  readonly host: string;
  readonly port: number;
  readonly insecure?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly hostName?: readonly string[];
  readonly heartbeat: number;
  readonly lostAfter: number;
  readonly prefetch: number;
  readonly artifactLimit: number;
  readonly artifactsLimit?: number;
  readonly unusedArtifacts: number;
  readonly logsLimit: number;
  readonly logsKept: number;
  readonly acceptLoss?: boolean;
  readonly respawn?: boolean;
  readonly stdinLifeline?: boolean;
  readonly grace: number;
  readonly logLevel: LogLevel;
  readonly output: OutputForm;
}

/** Adds the verb. */
export function addMasterVerb(program: Command, context: CliContext): void {
  program.command("master")
    .description("run a master until told to stop")
    .option("--data <folder>", `where everything is kept (ESPALIER_DATA; default: ${DATA_FOLDER_DEFAULT})`)
    .option("--host <address>", "the address to listen on", "127.0.0.1")
    .option(
      "--port <port>",
      "the port to listen on; 0 takes a free one",
      wholeNumber(0, 65_535),
      PORT_DEFAULT,
    )
    .option("--insecure", "listen beyond this machine without TLS")
    .option("--tls-cert <file>", "a certificate (PEM), for TLS")
    .option("--tls-key <file>", "its key (PEM)")
    .option("--host-name <name>", "a name by which a proxy passes requests on; may be repeated", gather)
    .addOption(
      spanOption("--heartbeat <duration>", "how often each side says that it is there", HEARTBEAT_DEFAULT_MS),
    )
    .addOption(
      spanOption(
        "--lost-after <duration>",
        "after which silence a worker's attempt is lost",
        LOST_DEFAULT_MS,
      ),
    )
    .option(
      "--prefetch <n>",
      "attempts that may wait on a worker beyond its slots",
      wholeNumber(0, PREFETCH_MAX),
      PREFETCH_DEFAULT,
    )
    .addOption(
      new Option("--artifact-limit <amount>", "how large one artifact may be")
        .argParser(memoryAmount).default(ARTIFACT_LIMIT_BYTES_DEFAULT, "64GiB"),
    )
    .addOption(
      new Option(
        "--artifacts-limit <amount>",
        "how much all artifacts may take (default: all but 1 GiB or 5 % of the disk)",
      ).argParser(memoryAmount),
    )
    .addOption(
      spanOption(
        "--unused-artifacts <duration>",
        "how long an artifact stays that nothing names",
        UNUSED_ARTIFACTS_MS_DEFAULT,
        UNUSED_ARTIFACTS_MS_MIN,
      ),
    )
    .addOption(
      new Option("--logs-limit <amount>", "how much to keep of what evaluators print, in all")
        .argParser(memoryAmount).default(LOGS_LIMIT_BYTES_DEFAULT, "1GiB"),
    )
    .addOption(
      spanOption("--logs-kept <duration>", "how long to keep what evaluators print", LOGS_KEPT_MS_DEFAULT),
    )
    .option("--accept-loss", "go on although the store lacks what workers and clients were told")
    .option("--respawn", "start the master again when it crashes")
    .addOption(spanOption("--grace <duration>", "how long it may take to stop", STOP_GRACE_DEFAULT_MS))
    .addOption(
      new Option("--log-level <level>", "from which level on to print").choices(LOG_LEVELS).default("info"),
    )
    .addOption(lifelineOption())
    .addOption(outputOption())
    .action((options: MasterVerbOptions) => {
      const dataFolder = options.data ?? context.terminal.env("ESPALIER_DATA") ?? DATA_FOLDER_DEFAULT;
      return options.respawn === true ? respawn(dataFolder, context) : run(dataFolder, options, context);
    });
}

async function run(dataFolder: string, options: MasterVerbOptions, context: CliContext): Promise<void> {
  const { terminal, roles } = context;
  const tls = await readTls(options);
  const started = await roles.startMaster({
    dataFolder,
    host: options.host,
    port: options.port,
    insecure: options.insecure ?? false,
    ...(tls === undefined ? {} : { tls }),
    names: (options.hostName ?? []).map((name) => name.toLowerCase()),
    heartbeatMs: options.heartbeat,
    lostAfterMs: options.lostAfter,
    prefetchMax: options.prefetch,
    acceptLoss: options.acceptLoss ?? false,
    artifactBytesMax: options.artifactLimit,
    artifactsBytesMax: options.artifactsLimit,
    unusedArtifactMs: options.unusedArtifacts,
    logsLimitBytes: options.logsLimit,
    logsKeptMs: options.logsKept,
    log: logLines(terminal, options.logLevel),
  });
  if (!started.ok) throw new Failure(started.message);
  await announce(started.master, dataFolder, options, context);
  const ends = listenForInterrupts({
    onFirst: () => {
      terminal.note("stopping (once more to end now)");
      void started.master.stop(options.grace);
    },
    onSecond: () => Deno.exit(EXIT.interrupted),
  });
  if (options.stdinLifeline === true) void whenInputCloses(() => void started.master.stop(options.grace));
  context.exitCode = await started.master.ended;
  ends();
}

async function announce(
  { url, port }: RunningMaster,
  dataFolder: string,
  { host, output }: MasterVerbOptions,
  { terminal }: CliContext,
): Promise<void> {
  const elsewhere = urlElsewhere(url, host, Deno.hostname());
  const login = await loginUrl(elsewhere ?? url, dataFolder);
  printAnswer(terminal, output, {
    json: { url, port, data: dataFolder, pid: Deno.pid },
    table: () => announcementOf({ url, elsewhere, login, dataFolder }),
    quiet: () => url,
  });
}

async function readTls(
  { tlsCert, tlsKey }: MasterVerbOptions,
): Promise<{ readonly cert: string; readonly key: string } | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new UsageError("--tls-cert and --tls-key belong together: give both");
  }
  return { cert: await readPem(tlsCert, "--tls-cert"), key: await readPem(tlsKey, "--tls-key") };
}

async function readPem(path: string, flag: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`${flag} ${path} cannot be read: ${reason}`);
  }
}
