/**
 * Work for a cluster under torture, and a ledger of what was acknowledged and told.
 *
 * @module
 */
import type { Client, SpecInput, SubmissionHandle } from "../../client/mod.ts";
import type { Random } from "../../shared/actor/random.ts";
import { sleepSearch, slowSearch } from "../../tests/integration/fleet/specs.ts";

/** What may become of a task: `sturdy` completes, `fragile` may fail by what is done to it, `wrong` fails. */
export type Nature = "sturdy" | "fragile" | "wrong" | "cancelled" | "trial";

/** A group of tasks that the master has acknowledged. */
export interface Acknowledged {
  readonly group: string;
  nature: Nature;
  /** Tasks; undefined for an experiment, which makes its own. */
  readonly tasks: number | undefined;
}

/** Nothing more is submitted while so many tasks have no outcome. */
const OPEN_MAX = 300;
const TASKS_MAX = 30;
const EVERY_MS = 150;
/** However often it is killed. */
const STURDY = { limit: 1_000, crashLimit: 1_000, backoffMs: 10 };
const FRAGILE = { limit: 1, crashLimit: 1, backoffMs: 10 };

/** Submissions and experiments, one after the other, until it is told to stop. */
export class Load {
  readonly acknowledged: Acknowledged[] = [];
  /** What the client was told of each task. */
  readonly told = new Map<string, string[]>();
  /** Requests that were refused: what they asked for may be there or not. */
  refused = 0;
  readonly problems: string[] = [];
  readonly #client: Client;
  readonly #random: Random;
  readonly #waiting = new Set<Promise<unknown>>();
  #open = 0;
  #isOver = false;
  readonly #pausing = new Set<() => void>();
  #experiments = 0;

  constructor(client: Client, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  /** Submits until `finish` is called. */
  async run(): Promise<void> {
    await Promise.all([this.#submitAll(), this.#searchAll()]);
  }

  /** Asks for nothing more. */
  finish(): void {
    this.#isOver = true;
    for (const wake of this.#pausing) wake();
  }

  /** Fulfilled once all that was acknowledged is over. */
  async over(): Promise<void> {
    while (this.#waiting.size > 0) await Promise.all(this.#waiting);
  }

  /** What is not over. */
  get unfinished(): number {
    return this.#waiting.size;
  }

  async #submitAll(): Promise<void> {
    while (!this.#isOver) {
      if (this.#open < OPEN_MAX) await this.#submit();
      await this.#pause(EVERY_MS);
    }
  }

  async #submit(): Promise<void> {
    const nature = this.#random.pick(
      ["sturdy", "sturdy", "sturdy", "sturdy", "fragile", "wrong", "cancelled"] as const,
    );
    const count = 1 + this.#random.integer(TASKS_MAX);
    const inputs = Array.from(
      { length: count },
      () => nature === "wrong" ? {} : { ms: this.#milliseconds() },
    );
    this.#open += count;
    try {
      const handle = await this.#client.submit({
        name: "torture",
        evaluator: { kind: "builtin", name: "sleep" },
        inputs,
        retry: nature === "fragile" ? FRAGILE : STURDY,
        onOutcomes: (outcomes) => {
          this.#open -= outcomes.length;
          for (const { task, state } of outcomes) this.#tell(task, state);
        },
      });
      await handle.submitted;
      for (const group of handle.groups) this.acknowledged.push({ group, nature, tasks: count });
      this.#wait(handle.wait(), handle.groups.join());
      if (nature === "cancelled") this.#wait(this.#cancelLater(handle), `to cancel ${handle.groups}`);
    } catch (error) {
      this.#open -= count;
      this.#refuse(error);
    }
  }

  /** Most are short; a few outlive what is done to their masters and workers. */
  #milliseconds(): number {
    const draw = this.#random.next();
    if (draw < 0.85) return 5 + this.#random.integer(55);
    return draw < 0.99 ? 100 + this.#random.integer(500) : 3_000 + this.#random.integer(4_000);
  }

  async #cancelLater(handle: SubmissionHandle): Promise<void> {
    await this.#pause(this.#random.integer(1_000));
    await handle.cancel();
  }

  async #searchAll(): Promise<void> {
    while (!this.#isOver) {
      try {
        const handle = await this.#client.run(this.#spec(), {
          onTrial: ({ task, state }) => this.#tell(task, state),
        });
        this.acknowledged.push({ group: handle.id, nature: "trial", tasks: undefined });
        const wait = handle.wait();
        this.#wait(wait, handle.id);
        await wait;
      } catch (error) {
        this.#refuse(error);
        await this.#pause(EVERY_MS);
      }
    }
  }

  #spec(): SpecInput {
    const more = {
      retry: { limit: 1_000, crashLimit: 1_000, backoff: 0.01 },
      optimizer: { kind: "genetic", seed: this.#random.integer(1_000), population: 8 },
    } as const;
    const name = `search-${++this.#experiments}`;
    return this.#random.next() < 0.7
      ? sleepSearch(name, 20 + this.#random.integer(40), 60, more)
      : slowSearch(name, 10 + this.#random.integer(10), 200, more);
  }

  #tell(task: string, state: string): void {
    const told = this.told.get(task) ?? [];
    told.push(state);
    this.told.set(task, told);
  }

  #refuse(error: unknown): void {
    // At the end of a run that fails the connection is closed: that is told elsewhere.
    if (!this.#isOver) {
      this.problems.push(`a request was refused: ${error instanceof Error ? error.message : error}`);
    }
    this.refused += 1;
  }

  #wait(promise: Promise<unknown>, what: string): void {
    const settled: Promise<void> = promise.then(
      () => void this.#waiting.delete(settled),
      (error) => {
        this.#waiting.delete(settled);
        this.problems.push(
          `${what} was not told to its end: ${error instanceof Error ? error.message : error}`,
        );
      },
    );
    this.#waiting.add(settled);
  }

  #pause(ms: number): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#pausing.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#pausing.add(wake);
    });
  }
}
