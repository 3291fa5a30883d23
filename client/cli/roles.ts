/**
 * The other roles, as the command line needs them: it starts them but imports none of them.
 *
 * @module
 */
import type { DeviceKind } from "../../shared/model/devices.ts";
import type { ModulePermissions } from "../../shared/model/task.ts";
import type { LogFields, LogLevel } from "../../shared/actor/actor.ts";

/** Takes what a role has to say to people. */
export type LogSink = (level: LogLevel, path: string, text: string, fields: LogFields) => void;

/** How a master is started. */
export interface MasterOptions {
  readonly dataFolder: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly insecure: boolean;
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
  readonly log: LogSink;
}

/** A master that runs in this process. */
export interface RunningMaster {
  readonly url: string;
  readonly port: number;
  /** @returns the exit code, once it has let go of everything */
  stop(graceMs: number): Promise<number>;
  /** Resolves with the exit code when it has ended, by itself or by `stop`. */
  readonly ended: Promise<number>;
}

/** The GPUs that a worker offers. */
export interface WorkerGpus {
  /** By default all that are found. */
  readonly wish?:
    | { readonly type: "none" }
    | { readonly type: "named"; readonly names: readonly string[]; readonly kind: DeviceKind }
    | undefined;
  /** How often their tool is asked at most. */
  readonly intervalMs?: number | undefined;
}

/** How a worker is started. */
export interface WorkerOptions {
  readonly masters: readonly string[];
  readonly token: string;
  /** Reads the token again before each connection. */
  readonly freshToken?: (() => Promise<string | undefined>) | undefined;
  /** Authorities (PEM) that are trusted besides those of the system. */
  readonly caCerts?: readonly string[] | undefined;
  /** Sends the token in plain text to other machines too. */
  readonly insecure?: boolean | undefined;
  readonly dataFolder: string;
  /** How long to wait for a folder that another process holds. */
  readonly folderWithinMs: number;
  readonly slots: number;
  /** Folders in which the modules of evaluators may lie; by default anywhere. */
  readonly modulesWithin?: readonly string[] | undefined;
  /** What modules may do beyond reading their own folder, where their spec asks for it. */
  readonly modulesAllowed?: ModulePermissions | undefined;
  /** Whether commands are run; by default they are. */
  readonly commands?: boolean | undefined;
  /** Whether attempts are held to the memory and the cores that their tasks ask for; by default they are. */
  readonly limits?: boolean | undefined;
  /** What attempts with needs are given from; by default the machine's cores and memory. */
  readonly pool?: { readonly cpus?: number; readonly memoryBytes?: number } | undefined;
  readonly gpus?: WorkerGpus | undefined;
  /** As `name=value`. */
  readonly labels?: readonly string[] | undefined;
  readonly limit?: { readonly timeMs: number; readonly graceMs: number } | undefined;
  readonly idleTimeoutMs?: number | undefined;
  /** What the cache of packed code may hold. */
  readonly codeCacheBytes?: number | undefined;
  readonly log: LogSink;
}

/** A worker that runs in this process. */
export interface RunningWorker {
  /** The exit code; rejects where the worker cannot begin. */
  readonly stopped: Promise<number>;
  stop(graceMs: number): void;
}

/** What a stored run was checked for, and what was found. */
export interface VerifiedStore {
  readonly file: string;
  readonly storeId: string;
  readonly schemaVersion: number;
  readonly epochs: number;
  readonly commits: number;
  readonly tasks: number;
  readonly outcomes: number;
  readonly experiments: number;
  readonly checks: readonly {
    readonly name: string;
    readonly promise: string;
    readonly looked: number;
    readonly violations: number;
    /** The first of them. */
    readonly first: readonly {
      readonly message: string;
      readonly evidence: Readonly<Record<string, unknown>>;
    }[];
  }[];
  readonly notChecked: readonly { readonly what: string; readonly why: string }[];
  /** Of all checks. */
  readonly violations: number;
}

/** What waits in a worker's folder. */
export interface VerifiedWorker {
  readonly folder: string;
  readonly worker: string;
  readonly waiting: readonly {
    readonly task: string;
    readonly attempt: number;
    readonly epoch: string;
    readonly state: string;
    readonly elapsedMs: number;
  }[];
  readonly tornBytes: number;
  readonly setAside: readonly string[];
}

/** What is in a folder, or why nothing could be checked. */
export type Verification =
  | { readonly kind: "store"; readonly report: VerifiedStore }
  | { readonly kind: "worker"; readonly report: VerifiedWorker }
  | { readonly kind: "nothing"; readonly message: string };

/** What main.ts knows and the command line does not. */
export interface Roles {
  /** The module that this program was started with: local workers are started with it again. */
  readonly program: string;
  startMaster(
    options: MasterOptions,
  ): Promise<
    { readonly ok: true; readonly master: RunningMaster } | { readonly ok: false; readonly message: string }
  >;
  startWorker(options: WorkerOptions): RunningWorker;
  /** Makes new tokens in a master's data folder. @returns what is wrong, where it cannot */
  rotateTokens(
    dataFolder: string,
    roles: readonly TokenRoleName[],
    graceMs: number,
  ): Promise<string | undefined>;
  /** Looks into a data folder of a master's or a worker's, or at a store's file, and changes nothing. */
  verify(path: string): Verification;
}

/** What a token may stand for. */
export const TOKEN_ROLES = ["admin", "submit", "worker", "view"] as const;
export type TokenRoleName = (typeof TOKEN_ROLES)[number];

/** The exit code of a master whose tree gave up: whoever runs it starts it again. */
export const EXIT_ESCALATED = 70;
/** Exit codes from here to the next say that a master sent the worker away: to come again is pointless. */
export const EXIT_SENT_AWAY_FIRST = 80;
/** The last of them. */
export const EXIT_SENT_AWAY_LAST = 99;
