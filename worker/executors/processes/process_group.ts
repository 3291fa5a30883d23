/**
 * A process in a group of its own, which dies with the worker.
 *
 * Promise: `kill` ends it and its group; so does the death of the worker, by SIGKILL too, even where the process is in a
 * loop and looks at nothing. After `endRest` nothing that it started is alive.
 *
 * @module
 */
import { join } from "node:path";
import type { Lease } from "../../../shared/model/task.ts";
import type { Cgroup } from "./cgroup.ts";
import type { Lifeline } from "./lifeline.ts";
import type { MemoryLimit, ProcessLimits } from "./limits.ts";
import { endStrays, holdDescendants, killHeld } from "./strays.ts";
import { MARK_VARIABLE } from "./strays_look.ts";

/** What to start. */
export interface GroupCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  /** All of its environment but its mark. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whose it is, where it serves one attempt; for people. */
  readonly lease?: Lease | undefined;
  readonly limits?: ProcessLimits | undefined;
}

/** A process and its group. */
export interface ProcessGroup {
  readonly pid: number;
  /** What it is known by: the value of `ESPALIER_LEASE` in its environment begins with it. */
  readonly mark: string;
  /** How its memory is limited. */
  readonly memory: MemoryLimit | undefined;
  readonly input: WritableStream<Uint8Array<ArrayBuffer>>;
  readonly output: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly errors: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Resolves when the process has ended; the rest of its group is killed by then. */
  readonly status: Promise<Deno.CommandStatus>;
  /** Sends a signal to the process alone. */
  signal(signal: Deno.Signal): void;
  /** Sends a signal to the whole group. */
  signalGroup(signal: Deno.Signal): void;
  /** Ends the whole group. */
  kill(): void;
  /**
   * Once it has ended: ends what it started outside of its group, and waits until that is gone.
   *
   * @returns whether the system ended any of it because its memory was not enough
   */
  endRest(): Promise<boolean>;
}

/** In less time no system gives all its numbers of processes away and begins again. */
const NUMBERS_TURN_MS = 5_000;

/**
 * Becomes the program, leaving a subshell in its group that waits for the end of the lifeline and then kills the control
 * group, where there is one, and the group.
 *
 * The lifeline is opened for reading and writing first: if the worker has died by now, opening it for reading alone
 * would wait for ever. The subshell stays through the signals that ask its group to end, and holds none of the program's pipes, or they would not end with the program.
 * It is no child of the program, which may wait until it has none; and no member of its control group.
 */
const KEEPER = `
exec 4<>"$1" 3<"$1" 4>&-
( ( trap '' TERM INT HUP; read -r _ <&3; [ -z "$3" ] || echo 1 >"$3"; kill -s KILL -- "-$$" ) </dev/null >/dev/null 2>&1 & )
exec 3<&-
[ -z "$2" ] || echo 0 >"$2" || exit 125
[ -z "$4" ] || ulimit -d "$4" || exit 125
shift 4
exec "$@"
`;
const SHELL = "/bin/sh";
/** Makes a session, and with it a group, and becomes a program in it. */
const SET_SESSION = ["/usr/bin/setsid", "/bin/setsid"].find(isFile);

/** Starts a process in a group of its own. @throws Error where the system cannot */
export function spawnGroup(command: GroupCommand, lifeline: Lifeline): ProcessGroup {
  const { lease, limits } = command;
  const name = lifeline.nextName();
  const mark = join(lifeline.folder, name);
  const cgroup = lifeline.cgroups?.make(name, limits);
  const memory = memoryLimitOf(limits, cgroup);
  const startedMs = performance.now();
  let child: Deno.ChildProcess;
  try {
    if (!isFile(SHELL)) throw new Error(`there is no ${SHELL}, with which every evaluator is started`);
    const { program, args, detached } = inSession(keeperArguments(command, lifeline, cgroup, memory));
    child = new Deno.Command(program, {
      args,
      detached,
      cwd: command.folder,
      clearEnv: true,
      env: { ...command.environment, [MARK_VARIABLE]: markOf(mark, lease) },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    void cgroup?.end();
    throw error;
  }
  let isKilled = false;
  let hasEnded = false;
  const kill = () => {
    // Once only: afterwards the number of the group may be another's.
    if (isKilled) return;
    isKilled = true;
    const held = hasEnded || cgroup !== undefined ? [] : holdDescendants(child.pid);
    // First itself: it may not have its group yet, and would make it afterwards.
    if (!hasEnded) signalQuietly(child.pid, "SIGKILL");
    signalQuietly(-child.pid, "SIGKILL");
    killHeld(held);
  };
  return {
    pid: child.pid,
    mark,
    memory,
    input: child.stdin,
    output: child.stdout,
    errors: child.stderr,
    status: child.status.then((status) => {
      hasEnded = true;
      kill();
      return status;
    }),
    signal(signal) {
      if (!isKilled) signalQuietly(child.pid, signal);
    },
    signalGroup(signal) {
      // Before it has its group, it is alone.
      if (!isKilled && !signalQuietly(-child.pid, signal)) signalQuietly(child.pid, signal);
    },
    kill,
    async endRest() {
      if (cgroup !== undefined) return await cgroup.end();
      const isShort = performance.now() - startedMs < NUMBERS_TURN_MS;
      await endStrays((of) => of === mark || of.startsWith(`${mark} `), isShort ? child.pid : undefined);
      return false;
    },
  };
}

/** What stands in the environment: what it is found by, and whose it is. */
export function markOf(mark: string, lease: Lease | undefined): string {
  return lease === undefined ? mark : `${mark} ${lease.task} ${lease.attempt} ${lease.epoch}`;
}

function keeperArguments(
  { program, args }: GroupCommand,
  { path }: Lifeline,
  cgroup: Cgroup | undefined,
  memory: MemoryLimit | undefined,
): string[] {
  const dataKiB = memory?.of === "each process" ? String(Math.ceil(memory.bytes / 1024)) : "";
  const groupFiles = [cgroup?.membersFile ?? "", cgroup?.killFile ?? ""];
  return ["-c", KEEPER, "keeper", path, ...groupFiles, dataKiB, program, ...args];
}

function memoryLimitOf(
  limits: ProcessLimits | undefined,
  cgroup: Cgroup | undefined,
): MemoryLimit | undefined {
  if (limits?.memoryBytes === undefined) return undefined;
  if (cgroup?.limitsMemory === true) return { bytes: limits.memoryBytes, of: "group" };
  return limits.eachProcess === true ? { bytes: limits.memoryBytes, of: "each process" } : undefined;
}

/**
 * How the shell is started in a session of its own. `detached` copies this process first, which holds its thread up for as
 * long as its memory takes: tens of milliseconds for hundreds of megabytes.
 */
function inSession(args: string[]): { readonly program: string; args: string[]; readonly detached: boolean } {
  return SET_SESSION === undefined
    ? { program: SHELL, args, detached: true }
    : { program: SET_SESSION, args: [SHELL, ...args], detached: false };
}

/** A process that has just ended by itself cannot be signalled, and need not be. @returns whether it was */
function signalQuietly(pid: number, signal: Deno.Signal): boolean {
  try {
    Deno.kill(pid, signal);
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || isNoSuchProcess(error))) throw error;
    return false;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function isNoSuchProcess(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ESRCH";
}
