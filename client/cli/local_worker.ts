/**
 * A worker on this machine, as a process of its own that is kept alive.
 *
 * Promise: it is started again when it dies, however it dies; it ends with this process, however that ends, since its
 * standard input is a lifeline. What an earlier run left behind is waited for: it may hold the worker's folder for a while.
 *
 * @module
 */
import { STOP_WORD } from "./lifeline.ts";
import { EXIT_SENT_AWAY_FIRST, EXIT_SENT_AWAY_LAST } from "./roles.ts";
import { ownProgram } from "./own_program.ts";

/** What a local worker is given. */
export interface LocalWorkerOptions {
  /** The module that this program was started with. */
  readonly program: string;
  readonly master: string;
  readonly tokenFile: string;
  /** Its own data folder; its log is beside it. */
  readonly folder: string;
  readonly slots: number;
  readonly graceMs: number;
  /** Whether it offers the machine's GPUs: of several workers on one machine only one may. */
  readonly hasGpus: boolean;
}

/** Who is told about a local worker. */
export interface LocalWorkerEvents {
  /** It died and will be started again. */
  restarts(why: string): void;
  /** It will not be started again. */
  gaveUp(why: string): void;
}

/** The wait before the first restart; doubled for each death of a worker that did not live long. */
const RESTART_MIN_MS = 200;
const RESTART_MAX_MS = 5_000;
/** Who lived so long was well: its death counts as the first. */
const WELL_AFTER_MS = 10_000;
/** So many deaths in a row, each soon after the start, are no accident. */
const EARLY_DEATHS_MAX = 5;
/** After its grace period a worker has so long to say goodbye before it is killed. */
const GOODBYE_MS = 3_000;

/** One worker process after the other. */
export class LocalWorker {
  readonly #options: LocalWorkerOptions;
  readonly #events: LocalWorkerEvents;
  readonly #over = Promise.withResolvers<void>();
  #child: Deno.ChildProcess | undefined;
  #lifeline: WritableStreamDefaultWriter | undefined;
  #restart: ReturnType<typeof setTimeout> | undefined;
  #isStopping = false;
  #earlyDeaths = 0;

  constructor(options: LocalWorkerOptions, events: LocalWorkerEvents) {
    this.#options = options;
    this.#events = events;
    this.#start();
  }

  /** The present process. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Where the worker writes what it has to say. */
  get logFile(): string {
    return `${this.#options.folder}.log`;
  }

  /** Lets it finish or hand back what it runs; kills it where it takes too long. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    if (this.#child === undefined) return;
    this.#letGo(STOP_WORD);
    const kill = setTimeout(() => this.kill(), this.#options.graceMs + GOODBYE_MS);
    await this.#over.promise;
    clearTimeout(kill);
  }

  /** Ends it at once. */
  kill(): void {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    try {
      this.#child?.kill("SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  }

  #start(): void {
    const { program, master, tokenFile, folder, slots, graceMs, hasGpus } = this.#options;
    const args = ["worker", "--master", master, "--token-file", tokenFile, "--data", folder];
    args.push("--slots", String(slots), "--grace", `${graceMs}ms`, "--stdin-lifeline");
    if (!hasGpus) args.push("--gpus", "none");
    // Shorter than WELL_AFTER_MS: whoever waits for a folder in vain has died early.
    args.push("--folder-within", `${graceMs + GOODBYE_MS}ms`);
    // A process group of its own: Ctrl-C is for this process, which tells its workers in its own way.
    const detached = Deno.build.os !== "windows";
    const command = ownProgram(program, args, { stdin: "piped", stdout: "null", stderr: "piped", detached });
    const child = command.spawn();
    this.#child = child;
    this.#lifeline = child.stdin.getWriter();
    // Where it dies first, the broken pipe is no news.
    this.#lifeline.closed.catch(() => {});
    void this.#watch(child, performance.now());
  }

  async #watch(child: Deno.ChildProcess, startedMs: number): Promise<void> {
    // Not waited for: what the worker itself started may hold on to the pipe for a while.
    void this.#keepLog(child);
    const status = await child.status;
    this.#child = undefined;
    this.#letGo();
    if (this.#isStopping) return this.#over.resolve();
    const why = status.signal === null
      ? `it ended with code ${status.code}`
      : `it was ended by ${status.signal}`;
    const isEarly = performance.now() - startedMs < WELL_AFTER_MS;
    this.#earlyDeaths = isEarly ? this.#earlyDeaths + 1 : 0;
    if (isSentAway(status.code) || this.#earlyDeaths > EARLY_DEATHS_MAX) return this.#giveUp(why);
    this.#events.restarts(why);
    const delayMs = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** this.#earlyDeaths);
    this.#restart = setTimeout(() => this.#start(), delayMs);
  }

  #giveUp(why: string): void {
    this.#over.resolve();
    this.#events.gaveUp(`${why}; see ${this.logFile}`);
  }

  async #keepLog(child: Deno.ChildProcess): Promise<void> {
    const file = await Deno.open(this.logFile, { append: true, create: true, mode: 0o600 });
    await child.stderr.pipeTo(file.writable);
  }

  #letGo(word?: Uint8Array): void {
    const lifeline = this.#lifeline;
    this.#lifeline = undefined;
    if (word !== undefined) lifeline?.write(word).catch(() => {});
    lifeline?.close().catch(() => {});
  }
}

function isSentAway(code: number): boolean {
  return code >= EXIT_SENT_AWAY_FIRST && code <= EXIT_SENT_AWAY_LAST;
}
