/**
 * The worker as a process: its tree on the real run loop, with a disk, sockets and subprocesses.
 *
 * Promise: `stopped` resolves with the exit code when nothing of the worker is at work any more.
 * Not here: signals and arguments (main.ts), what a worker does (tree.ts).
 *
 * @module
 */
import type { ExitReason } from "../shared/actor/actor.ts";
import { System, type SystemEvents } from "../shared/actor/system.ts";
import { incarnation } from "../shared/model/ids.ts";
import type { Resources } from "../shared/model/resources.ts";
import type { ModulePermissions } from "../shared/model/task.ts";
import { RealLoop } from "../shared/platform/real_loop.ts";
import { plainTextProblem } from "../shared/platform/plain_text.ts";
import { artifactTransfer } from "../shared/platform/artifact_transfer.ts";
import { webSocketDialer } from "../shared/platform/web_socket_dialer.ts";
import { builtinExecutor } from "./executors/builtin.ts";
import { commandExecutor } from "./executors/command/command.ts";
import { AttemptFolders } from "./executors/attempt_folders.ts";
import type { Executor } from "./executors/executor.ts";
import { moduleExecutor } from "./executors/module/module.ts";
import { pythonExecutor } from "./executors/python/python.ts";
import { Provision } from "./files/provision.ts";
import { awaitIdentity, type Identity } from "./identity.ts";
import { openJournal, type ResultJournal } from "./journal.ts";
import { SeenFile } from "./seen_file.ts";
import { socketUrl } from "./start_url.ts";
import { workerTree } from "./tree.ts";
import type { VitalsSource, WorkerOptions, WorkerPorts } from "./tree_ports.ts";
import { WorkerDevices, type WorkerDevicesOptions } from "./devices/worker_devices.ts";
import { labelsOf } from "./devices/labels.ts";
import { readFacts } from "./vitals/machine.ts";
import { startVitals } from "./vitals/vitals.ts";

/** How a worker is started. */
export interface StartOptions {
  /** Addresses of masters, tried in turn; see `socketUrl`. */
  readonly masters: readonly string[];
  readonly token: string;
  /** Reads the token again before each connection, where it may change; undefined where it cannot be read. */
  readonly freshToken?: (() => Promise<string | undefined>) | undefined;
  /** Authorities (PEM) that are trusted besides those of the system. */
  readonly caCerts?: readonly string[] | undefined;
  /** Sends the token in plain text to other machines too. By default the worker does not begin. */
  readonly insecure?: boolean | undefined;
  /** Holds the worker's name and its journal; no other process may use it. */
  readonly dataFolder: string;
  /** How long to wait for a data folder that another process holds; by default not at all. */
  readonly folderWithinMs?: number | undefined;
  /** Attempts at a time; by default one for each core. */
  readonly slots?: number | undefined;
  /** What attempts with needs are given from; by default the machine's cores, memory and GPUs. */
  readonly pool?: Partial<Pick<Resources, "cpus" | "memoryBytes">> | undefined;
  /** Its GPUs; by default all that `nvidia-smi` lists and `CUDA_VISIBLE_DEVICES` leaves. */
  readonly gpus?: Omit<WorkerDevicesOptions, "log"> | undefined;
  /** What it is labelled with, as `name=value`, beside what it finds out by itself. */
  readonly labels?: readonly string[] | undefined;
  /** It leaves in an orderly way before so much time has passed since its start; what runs then has `graceMs` to finish. */
  readonly limit?: { readonly timeMs: number; readonly graceMs: number } | undefined;
  /** It leaves when it was connected and nothing ran for so long; by default it stays. */
  readonly idleTimeoutMs?: number | undefined;
  /** Folders in which, at any depth, the modules of evaluators may lie; by default anywhere on the machine. */
  readonly modulesWithin?: readonly string[] | undefined;
  /** What modules may do beyond reading their own folder, where their spec asks for it; by default nothing. */
  readonly modulesAllowed?: ModulePermissions | undefined;
  /** Whether commands are run, any program as this user; by default they are. */
  readonly commands?: boolean | undefined;
  /** Whether attempts are held to the memory and the cores that their tasks ask for; by default they are. */
  readonly limits?: boolean | undefined;
  /** By default the built-in evaluators, TypeScript modules and commands. */
  readonly executors?: readonly Executor[] | undefined;
  /** What the cache of packed code may hold; see `CODE_CACHE_DEFAULT_BYTES`. */
  readonly codeCacheBytes?: number | undefined;
  /** Where proxies of its own are needed; the caller closes it. */
  readonly client?: Deno.HttpClient | undefined;
  /** Told what the worker has to say to people. */
  readonly log: NonNullable<SystemEvents["log"]>;
}

/** A worker that has been started. */
export interface StartedWorker {
  /**
   * The exit code, once nothing is at work any more: 0 after a graceful stop, `refusedExitCode` where a master sent it
   * away, `CRASHED_EXIT` after a bug.
   *
   * It rejects where the worker cannot begin: a wrong address, a data folder that another process holds.
   */
  readonly stopped: Promise<number>;
  /** Begins nothing more, gives what runs so long to finish, and hands back the rest. Asked again, the shorter time counts. */
  stop(graceMs: number): void;
}

/** The exit code after a bug: EX_SOFTWARE of sysexits.h. Whoever runs the process starts it again. */
export const CRASHED_EXIT = 70;

/** So long before the end of its time a worker hands back what still runs: HAND_BACK_GRACE_MS and what follows it. */
const GOODBYE_MS = 5_000;

/** Starts a worker. */
export function startWorker(options: StartOptions): StartedWorker {
  const process = new WorkerProcess(options);
  return { stopped: process.run(), stop: (graceMs) => process.stop(graceMs) };
}

/** What of the worker is on its disk. */
interface WorkerDisk {
  readonly journal: ResultJournal;
  readonly seen: SeenFile;
}

class WorkerProcess {
  readonly #options: StartOptions;
  #executors: readonly Executor[];
  readonly #slots: number;
  readonly #gpus: WorkerDevices;
  readonly #startedMs = performance.now();
  /** What is still being closed. */
  readonly #closing: Promise<void>[] = [];
  #stop: (graceMs: number) => void = (graceMs) => this.#stopGraceMs = graceMs;
  /** Where the stop came before the tree began. */
  #stopGraceMs: number | undefined;

  constructor(options: StartOptions) {
    this.#options = options;
    this.#slots = options.slots ?? navigator.hardwareConcurrency;
    this.#executors = options.executors ?? [];
    this.#gpus = new WorkerDevices({ ...options.gpus, log: options.log });
  }

  stop(graceMs: number): void {
    this.#stop(graceMs);
  }

  async run(): Promise<number> {
    const masters = this.#options.masters.map(socketUrl);
    if (masters.length === 0) throw new Error("a worker needs the address of at least one master");
    for (const url of masters) {
      const problem = plainTextProblem(url, this.#options.insecure ?? false);
      if (problem !== undefined) throw new Error(`${problem.message}; ${problem.advice}`);
    }
    const identity = await this.#takeFolder();
    // What a killed worker leaves behind lies in its own folder, where its next life finds it.
    const provision = this.#provision(masters, identity.folder);
    const executors = this.#options.executors ?? this.#ownExecutors(identity.folder);
    // What is part of the worker neither has code nor saves anything.
    this.#executors = executors.map((each) => each.kind === "builtin" ? each : provision.around(each));
    try {
      const trouble = (message: string) => this.#options.log("warning", "worker/journal", message, {});
      const journal = await openJournal(identity.folder, { trouble });
      const seen = new SeenFile(identity.folder);
      const code = await this.#runTree({ journal, seen }, await this.#describe(masters, identity));
      await Promise.all([
        ...this.#closing,
        ...this.#executors.map((executor) => executor.close()),
      ]);
      await provision.close();
      await Promise.all([journal.close(), seen.close()]);
      return code;
    } finally {
      await this.#gpus.stop();
      identity.close();
    }
  }

  #ownExecutors(folder: string): Executor[] {
    const { commands = true, limits, modulesWithin: within, modulesAllowed: allowed, log } = this.#options;
    const folders = new AttemptFolders(folder);
    const warns = (message: string, task: string) => log("warning", "worker/command", message, { task });
    const options = { folder, folders, warns, limits };
    return [
      builtinExecutor(),
      moduleExecutor({ slots: this.#slots, folder, within, allowed, limits }),
      ...(commands ? [commandExecutor(options), pythonExecutor(options)] : []),
    ];
  }

  #provision(urls: readonly string[], dataFolder: string): Provision {
    const { token, freshToken, caCerts, insecure, codeCacheBytes, log } = this.#options;
    return new Provision({
      dataFolder,
      transfer: artifactTransfer({ urls, token, freshToken, caCerts, insecure }),
      codeCacheBytes,
      warns: (message, task) => log("warning", "worker/files", message, { task }),
    });
  }

  #takeFolder(): Promise<Identity> {
    const { dataFolder, folderWithinMs = 0, log } = this.#options;
    return awaitIdentity(dataFolder, {
      withinMs: folderWithinMs,
      isWanted: () => this.#stopGraceMs === undefined,
      waits: (message) => log("info", "worker", `waiting, since ${message}`, {}),
    });
  }

  async #describe(masters: readonly string[], { worker }: Identity): Promise<WorkerOptions> {
    const facts = readFacts();
    const devices = await this.#gpus.find();
    const { pool, labels = [], limit, idleTimeoutMs } = this.#options;
    return {
      masters,
      token: this.#options.token,
      worker,
      incarnation: incarnation(crypto.randomUUID()),
      slots: this.#slots,
      pool: { cpus: facts.cpus, memoryBytes: facts.memoryBytes, ...pool, gpus: devices?.length ?? 0 },
      devices,
      labels: labelsOf(facts, devices ?? [], labels),
      limit: limit === undefined ? undefined : this.#leaves(limit),
      idleTimeoutMs,
      facts,
    };
  }

  /** Handing back and saying goodbye take their time, too. */
  #leaves({ timeMs, graceMs }: NonNullable<StartOptions["limit"]>): WorkerOptions["limit"] {
    const goodbyeMs = Math.min(GOODBYE_MS, timeMs / 4);
    return { workUntilMs: this.#startedMs + timeMs - goodbyeMs, graceMs };
  }

  #runTree(disk: WorkerDisk, worker: WorkerOptions): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const { log } = this.#options;
    let code = CRASHED_EXIT;
    // The seed differs for each process: a fleet that waited the same times would come back at one moment.
    const system = new System(new RealLoop(), worker.incarnation, {
      log,
      rootExited: (reason) => {
        if (reason.type === "crashed") log("error", "worker", crashWords(reason), {});
        resolve(code);
      },
    });
    const ports = this.#ports(disk, (exitCode, message) => {
      code = exitCode;
      log(exitCode === 0 ? "info" : "error", "worker", message, { exitCode });
    });
    const root = system.start("worker", workerTree(ports, worker));
    this.#stop = (graceMs) => system.post(root, { type: "stop", graceMs, reason: "told to stop" });
    if (this.#stopGraceMs !== undefined) this.#stop(this.#stopGraceMs);
    return promise;
  }

  #ports({ journal, seen }: WorkerDisk, exit: WorkerPorts["exit"]): WorkerPorts {
    const { client, caCerts, insecure, freshToken } = this.#options;
    return {
      dialer: webSocketDialer({ client, caCerts, insecure, freshToken }),
      executors: this.#executors,
      journal,
      seen,
      setAside: (result) => {
        this.#closing.push(
          journal.setAside(result, "the master's store does not know its lease").then(() => {}),
        );
      },
      vitals: this.#vitals(),
      exit,
    };
  }

  #vitals(): VitalsSource {
    return {
      start: (told) => {
        const sampler = startVitals({
          gpus: () => this.#gpus.state().gpus,
          sampled: (vitals) => told(vitals, this.#gpus.state().out),
        });
        this.#gpus.changed = () => sampler.sampleNow();
        return () => sampler.stop();
      },
    };
  }
}

function crashWords(reason: Extract<ExitReason, { readonly type: "crashed" }>): string {
  return `the worker ends, for whoever runs it to start it again: ${reason.message}`;
}
