/**
 * A process in a group of its own, which dies with the worker.
 *
 * Promise: `kill` ends it and all that it started; so does the death of the worker, by SIGKILL too, even where the process
 * is in a loop and looks at nothing.
 *
 * @module
 */
import type { Lifeline } from "./lifeline.ts";

/** What to start. */
export interface GroupCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A process and its group. */
export interface ProcessGroup {
  readonly pid: number;
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
}

/**
 * Becomes the program, leaving a subshell in its group that waits for the end of the lifeline and then kills the group.
 *
 * The lifeline is opened for reading and writing first: if the worker has died by now, opening it for reading alone
 * would wait for ever. The subshell stays through the signals that ask its group to end, and holds none of the program's pipes, or they would not end with the program.
 * It is no child of the program, which may wait until it has none.
 */
const KEEPER = `
exec 4<>"$1" 3<"$1" 4>&-
( ( trap '' TERM INT HUP; read -r _ <&3; kill -s KILL -- "-$$" ) </dev/null >/dev/null 2>&1 & )
exec 3<&-
shift
exec "$@"
`;
const SHELL = "/bin/sh";

/** Starts a process in a group of its own. @throws Error where the system cannot */
export function spawnGroup(command: GroupCommand, lifeline: Lifeline): ProcessGroup {
  const child = new Deno.Command(SHELL, {
    args: ["-c", KEEPER, "keeper", lifeline.path, command.program, ...command.args],
    cwd: command.folder,
    clearEnv: true,
    env: { ...command.environment },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  let isKilled = false;
  const kill = () => {
    // Once only: afterwards the number of the group may be another's.
    if (!isKilled) signalQuietly(-child.pid, "SIGKILL");
    isKilled = true;
  };
  return {
    pid: child.pid,
    input: child.stdin,
    output: child.stdout,
    errors: child.stderr,
    status: child.status.then((status) => {
      kill();
      return status;
    }),
    signal(signal) {
      if (!isKilled) signalQuietly(child.pid, signal);
    },
    signalGroup(signal) {
      if (!isKilled) signalQuietly(-child.pid, signal);
    },
    kill,
  };
}

/** A process that has just ended by itself cannot be signalled, and need not be. */
function signalQuietly(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || isNoSuchProcess(error))) throw error;
  }
}

function isNoSuchProcess(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ESRCH";
}
