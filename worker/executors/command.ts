/**
 * Evaluators that are programs of any kind: values as arguments or in `trial.json`, metrics as lines or in `result.json`.
 *
 * Promise: no word of a candidate reaches a shell; nothing that a program started is alive after its end, nor after its
 * worker's; its environment holds nothing of the worker's but what is named.
 * Not here: the words of a command (shared/model/command.ts), what a program says (command_attempt.ts).
 *
 * @module
 */
import { isAbsolute, join } from "node:path";
import { fillCommand } from "../../shared/model/command.ts";
import { taskParts } from "../../shared/model/ids.ts";
import type { CommandEvaluator, TaskInput } from "../../shared/model/task.ts";
import { CommandAttempt, type StartedCommand } from "./command_attempt.ts";
import { AttemptFolders, type FolderOutcome } from "./command_folders.ts";
import { OutputFile } from "./command_output.ts";
import { environmentOf, findProgram } from "./command_program.ts";
import { endStrays } from "./command_strays.ts";
import type { Attempt, Executor, ExecutorEvent, Running } from "./executor.ts";
import { decodeInput } from "./input.ts";
import { type Lifeline, openLifeline } from "./lifeline.ts";
import { spawnGroup } from "./process_group.ts";

/** How commands are run. */
export interface CommandOptions {
  /** The worker's data folder, held by this process alone. By default a temporary one, removed at the close. */
  readonly folder?: string | undefined;
  /** The folders of attempts, where other executors make theirs beside them; by default in the data folder. */
  readonly folders?: AttemptFolders | undefined;
  /** Told what is not as it should be, and no failure: a report that cannot be read, a full disk. */
  readonly warns?: ((message: string, task: string) => void) | undefined;
}

/** The seed of a task that has none. */
const SEED_DEFAULT = 0;
/** What an attempt was given, in its folder. */
const TRIAL_FILE = "trial.json";

/**
 * An executor of commands.
 *
 * @example
 * ```ts ignore
 * const executor = commandExecutor({ folder: "./worker-data" });
 * executor.start(attempt, (event) => console.log(event));
 * await executor.close();
 * ```
 */
export function commandExecutor(options: CommandOptions = {}): Executor {
  return new CommandExecutor(options);
}

class CommandExecutor implements Executor {
  readonly kind = "command";
  readonly #warns: NonNullable<CommandOptions["warns"]>;
  readonly #givenFolder: string | undefined;
  readonly #givenFolders: AttemptFolders | undefined;
  readonly #running = new Set<CommandAttempt>();
  readonly #ending = new Set<Promise<unknown>>();
  #place: Place | undefined;
  #isClosed = false;

  constructor({ folder, folders, warns }: CommandOptions) {
    this.#givenFolder = folder;
    this.#givenFolders = folders;
    this.#warns = warns ?? (() => {});
    if (folder === undefined) return;
    // What a killed worker's attempts left outside of their groups.
    const earlier = (folders ?? new AttemptFolders(folder)).existing();
    if (earlier.size > 0) this.#awaitAtClose(endStrays((of) => earlier.has(of)));
  }

  start(attempt: Attempt, events: (event: ExecutorEvent) => void): Running {
    if (this.#isClosed) return endAtOnce(events, { state: "stopped" });
    const work = prepare(attempt);
    if ("message" in work) return refuse(events, work);
    const started = this.#spawn(attempt, work);
    if ("message" in started) return refuse(events, started);
    const { task } = attempt.lease;
    const running = new CommandAttempt(started, {
      report: (step, metrics) => events({ type: "report", step, metrics }),
      warns: (message) => this.#warns(message, task),
      ended: (end) => {
        this.#running.delete(running);
        this.#ended(started.folder, end.state);
        events({ type: "ended", end });
      },
    });
    this.#running.add(running);
    return running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const running = [...this.#running];
    for (const attempt of running) attempt.stop(0);
    await Promise.all(running.map(({ over }) => over));
    await Promise.all(this.#ending);
    const place = this.#place;
    this.#place = undefined;
    if (place === undefined) return;
    await place.folders.settled();
    place.lifeline.close();
    if (this.#givenFolder === undefined) await Deno.remove(place.folder, { recursive: true });
  }

  #spawn(attempt: Attempt, work: Work): StartedCommand | Refusal {
    const place = attemptTo(() => this.#place ??= openPlace(this.#givenFolder, this.#givenFolders));
    if ("message" in place) return place;
    const folder = attemptTo(() => ({ path: place.folders.make(attempt.lease) }));
    if ("message" in folder) return folder;
    const started = attemptTo(() => begin(attempt, work, folder.path, place.lifeline, this.#warns));
    if ("message" in started) this.#ended(folder.path, "failed");
    return started;
  }

  #ended(folder: string, state: FolderOutcome["state"]): void {
    const written = this.#place?.folders.ended(folder, { state });
    if (written !== undefined) this.#awaitAtClose(written);
  }

  #awaitAtClose(work: Promise<unknown>): void {
    this.#ending.add(work);
    void work.then(() => this.#ending.delete(work));
  }
}

/** What the machine cannot do is its own trouble: another may do better. */
function attemptTo<Result>(action: () => Result): Result | Refusal {
  try {
    return action();
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return { message: `this worker cannot start the command: ${words}`, final: false };
  }
}

/** Writes down what is tried, and tries it. @param attemptFolder its own @throws Error where the system cannot */
function begin(
  { lease, slot }: Attempt,
  { evaluator, input }: Work,
  attemptFolder: string,
  lifeline: Lifeline,
  warns: NonNullable<CommandOptions["warns"]>,
): StartedCommand | Refusal {
  const { group: experiment, number: trial } = taskParts(lease.task);
  const seed = input.seed ?? SEED_DEFAULT;
  const environment = environmentOf({
    ESPALIER_EXPERIMENT: experiment,
    ESPALIER_TRIAL: String(trial),
    ESPALIER_ATTEMPT: String(lease.attempt),
    ESPALIER_DIR: attemptFolder,
    ESPALIER_SEED: String(seed),
    ESPALIER_SLOT: String(slot),
    ...(evaluator.array === true ? { ESPALIER_ARRAY_INDEX: String(input.candidate) } : {}),
  }, evaluator.env);
  const folder = evaluator.folder ?? attemptFolder;
  const line = commandLine(evaluator, input.candidate, folder, environment["PATH"] ?? "");
  if ("message" in line) return line;
  const given = { experiment, trial, attempt: lease.attempt, ...input, seed };
  Deno.writeTextFileSync(join(attemptFolder, TRIAL_FILE), `${JSON.stringify(given)}\n`, { mode: 0o600 });
  const trouble = (message: string) => warns(message, lease.task);
  const output = new OutputFile(join(attemptFolder, "stdout.txt"), trouble);
  const errors = new OutputFile(join(attemptFolder, "stderr.txt"), trouble);
  try {
    const group = spawnGroup({ ...line, folder, environment }, lifeline);
    return { group, folder: attemptFolder, result: evaluator.result, output, errors };
  } catch (error) {
    void output.close();
    void errors.close();
    throw error;
  }
}

/** Where attempts are. */
interface Place {
  readonly folder: string;
  readonly folders: AttemptFolders;
  readonly lifeline: Lifeline;
}

function openPlace(given: string | undefined, shared: AttemptFolders | undefined): Place {
  const folder = given ?? Deno.makeTempDirSync({ prefix: "espalier-commands-" });
  const folders = shared ?? new AttemptFolders(folder);
  const lifeline = openLifeline(join(folder, "commands"));
  return { folder, folders, lifeline };
}

/** A command that can be tried. */
interface Work {
  readonly evaluator: CommandEvaluator;
  readonly input: TaskInput;
}

interface Refusal {
  readonly message: string;
  readonly final: boolean;
}

function prepare({ evaluator, payload }: Attempt): Work | Refusal {
  if (evaluator.kind !== "command") {
    return final(`the command executor cannot run an evaluator of kind ${evaluator.kind}`);
  }
  const input = decodeInput(payload);
  return typeof input === "string" ? final(input) : { evaluator, input };
}

function commandLine(
  { command }: CommandEvaluator,
  candidate: unknown,
  folder: string,
  path: string,
): { readonly program: string; readonly args: readonly string[] } | Refusal {
  if (!isAbsolute(folder)) {
    return final(
      `the command's folder ${folder} is not absolute: a worker knows no other place to begin from`,
    );
  }
  if (!isFolder(folder)) {
    return final(
      `there is no folder ${folder} on this machine, where the command should run: put it there on each worker, or ` +
        `name another as the evaluator's folder`,
    );
  }
  const filled = fillCommand(command, candidate);
  if (!filled.ok) return final(filled.message);
  const [name = "", ...args] = filled.words;
  if (filled.words.some((word) => word.includes("\0"))) {
    return final("an argument of the command has a zero byte, which no program can be given");
  }
  const found = findProgram(name, folder, path);
  return found.ok ? { program: found.path, args } : final(found.message);
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function final(message: string): Refusal {
  return { message, final: true };
}

function refuse(events: (event: ExecutorEvent) => void, { message, final }: Refusal): Running {
  return endAtOnce(events, { state: "failed", cause: "evaluator", message, final });
}

function endAtOnce(
  events: (event: ExecutorEvent) => void,
  end: Extract<ExecutorEvent, { type: "ended" }>["end"],
): Running {
  events({ type: "ended", end });
  return { stop() {} };
}
