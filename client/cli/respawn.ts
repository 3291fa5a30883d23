/**
 * `master --respawn`: a tiny parent that starts the master again when it crashes.
 *
 * The master ends with its parent: two masters on one folder would be one too many for whoever starts the parent again.
 * It is for machines without a service manager; systemd and Kubernetes do the same and more.
 *
 * @module
 */
import { readLocalMaster } from "../find_master.ts";
import type { CliContext } from "./context.ts";
import { EXIT } from "./failure.ts";
import { listenForInterrupts } from "./interrupts.ts";
import { ownProgram } from "./own_program.ts";
import { EXIT_ESCALATED } from "./roles.ts";

/** The wait before the first restart; doubled for each crash of a master that did not live long. */
const RESTART_MIN_MS = 500;
const RESTART_MAX_MS = 30_000;
/** A master that lived so long was well: its crash counts as the first. */
const WELL_AFTER_MS = 60_000;

/**
 * Runs the same command without `--respawn`, again and again until it ends by itself or is told to.
 *
 * @param dataFolder where the master says which port it has: the next one takes the same, or its workers would not find it
 */
export async function respawn(dataFolder: string, context: CliContext): Promise<void> {
  const { terminal, roles } = context;
  const args = [...context.args.filter((arg) => arg !== "--respawn"), "--stdin-lifeline"];
  let child: Deno.ChildProcess | undefined;
  const stop = Promise.withResolvers<void>();
  let isStopping = false;
  const pass = (signal: Deno.Signal) => {
    isStopping = true;
    stop.resolve();
    tell(child, signal);
  };
  const ends = listenForInterrupts({ onFirst: pass, onSecond: pass });
  for (let crashes = 0; !isStopping;) {
    const startedMs = performance.now();
    // A process group of its own: Ctrl-C reaches it once, through this process.
    const detached = Deno.build.os !== "windows";
    child = ownProgram(roles.program, args, { stdin: "piped", detached }).spawn();
    const status = await child.status;
    context.exitCode = status.code;
    if (isStopping || (status.code !== EXIT_ESCALATED && status.signal === null)) break;
    crashes = performance.now() - startedMs > WELL_AFTER_MS ? 1 : crashes + 1;
    const delayMs = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** (crashes - 1));
    terminal.note(
      `the master ended (${status.signal ?? `code ${status.code}`}); it is started again in ${delayMs} ms`,
    );
    const port = await portOf(dataFolder);
    if (crashes === 1 && port !== undefined) args.push("--port", port);
    await Promise.race([pause(delayMs), stop.promise]);
    context.exitCode = EXIT.success;
  }
  ends();
}

/** The port of the master that ran last in a data folder. */
async function portOf(dataFolder: string): Promise<string | undefined> {
  const local = await readLocalMaster(dataFolder);
  return local === undefined ? undefined : URL.parse(local.url)?.port;
}

function tell(child: Deno.ChildProcess | undefined, signal: Deno.Signal): void {
  try {
    child?.kill(signal);
  } catch {
    // It has just ended by itself.
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
