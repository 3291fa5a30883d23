/**
 * Evaluators that are programs of any kind: values as arguments or in `trial.json`, metrics as lines or in `result.json`.
 *
 * Promise: no word of a candidate reaches a shell; nothing that a program started is alive after its end, nor after its
 * worker's; its environment holds nothing of the worker's but what is named.
 * Not here: the words of a command (shared/model/command.ts), its start (command_start.ts), what a program says
 * (command_attempt.ts).
 *
 * @module
 */
import { attemptTo, endAtOnce, refuse } from "../refused.ts";
import { join } from "node:path";
import { CommandAttempt, type StartedCommand } from "./command_attempt.ts";
import { AttemptFolders, type FolderOutcome } from "../attempt_folders.ts";
import { type CommandWork, type Refusal, refusal, startCommand } from "./command_start.ts";
import { AtClose } from "../at_close.ts";
import type { Attempt, Executor, ExecutorEvent, Running } from "../executor.ts";
import { decodeInput } from "../input.ts";
import { endEarlierLives, type Lifeline, openLifeline } from "../processes/lifeline.ts";
import { type LimitOptions, limitsOf } from "../processes/limits.ts";

/** How commands are run. */
export interface CommandOptions extends LimitOptions {
  /** The worker's data folder, held by this process alone. By default a temporary one, removed at the close. */
  readonly folder?: string | undefined;
  /** The folders of attempts, where other executors make theirs beside them; by default in the data folder. */
  readonly folders?: AttemptFolders | undefined;
  /** Told what is not as it should be, and no failure: a report that cannot be read, a full disk. */
  readonly warns?: ((message: string, task: string) => void) | undefined;
}

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
  readonly #limits: LimitOptions;
  readonly #running = new Set<CommandAttempt>();
  readonly #ending = new AtClose();
  #place: Place | undefined;
  #started = 0;
  #isClosed = false;

  constructor({ folder, folders, warns, limits, cgroups }: CommandOptions) {
    this.#limits = { limits, cgroups };
    this.#givenFolder = folder;
    this.#givenFolders = folders;
    this.#warns = warns ?? (() => {});
    if (folder === undefined) return;
    // What a killed worker's attempts left outside of their groups.
    this.#ending.add(endEarlierLives(join(folder, LIFELINE)));
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
      checkpoint: (step, path) => events({ type: "checkpoint", step, path }),
      file: (name, path) => events({ type: "file", name, path }),
      output: (stream, data) => events({ type: "output", stream, data }),
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
    await this.#ending.settled();
    const place = this.#place;
    this.#place = undefined;
    if (place === undefined) return;
    await place.folders.settled();
    place.lifeline.close();
    if (this.#givenFolder === undefined) await Deno.remove(place.folder, { recursive: true });
  }

  #spawn(attempt: Attempt, work: CommandWork): StartedCommand | Refusal {
    const place = attemptTo(
      "start the command",
      () => this.#place ??= openPlace(this.#givenFolder, this.#givenFolders, this.#limits),
    );
    if ("message" in place) return place;
    const folder = attemptTo("start the command", () => ({ path: place.folders.make(attempt.lease) }));
    if ("message" in folder) return folder;
    this.#started += 1;
    const given = {
      folder: folder.path,
      lifeline: place.lifeline,
      limits: limitsOf(attempt, this.#limits),
      snapshots: join(place.lifeline.folder, `kept-${this.#started}-`),
      warns: (message: string) => this.#warns(message, attempt.lease.task),
    };
    const started = attemptTo("start the command", () => startCommand(attempt, work, given));
    if ("message" in started) this.#ended(folder.path, "failed");
    return started;
  }

  #ended(folder: string, state: FolderOutcome["state"]): void {
    const written = this.#place?.folders.ended(folder, { state });
    if (written !== undefined) this.#ending.add(written);
  }
}

/** The folder of the lifeline, in the data folder. */
const LIFELINE = "commands";

/** Where attempts are. */
interface Place {
  readonly folder: string;
  readonly folders: AttemptFolders;
  readonly lifeline: Lifeline;
}

function openPlace(
  given: string | undefined,
  shared: AttemptFolders | undefined,
  limits: LimitOptions,
): Place {
  const folder = given ?? Deno.makeTempDirSync({ prefix: "espalier-commands-" });
  const folders = shared ?? new AttemptFolders(folder);
  const lifeline = openLifeline(join(folder, LIFELINE), limits);
  return { folder, folders, lifeline };
}

function prepare({ evaluator, payload }: Attempt): CommandWork | Refusal {
  if (evaluator.kind !== "command") {
    return refusal(`the command executor cannot run an evaluator of kind ${evaluator.kind}`);
  }
  const input = decodeInput(payload);
  return typeof input === "string" ? refusal(input) : { evaluator, input };
}
