/**
 * A node: what has a name, and one process at a time.
 *
 * Promise: a killed process leaves nothing behind but its disk; whoever runs the node starts it again.
 *
 * @module
 */
import { seededRandom } from "../../../shared/actor/random.ts";
import { type ActorView, System } from "../../../shared/actor/system.ts";
import { SimulatedProcess } from "../process.ts";
import type { World } from "../world.ts";

/** How long a process takes to be there again, at most. */
const START_MS_MAX = 2_000;

/** A master, worker or client. */
export abstract class Node {
  readonly name: string;
  protected readonly world: World;
  #life = 0;
  #process: SimulatedProcess | undefined;
  #system: System | undefined;

  constructor(name: string, world: World) {
    this.name = name;
    this.world = world;
  }

  get isUp(): boolean {
    return this.#process !== undefined;
  }

  get isPaused(): boolean {
    return this.#process?.isPaused ?? false;
  }

  protected get life(): number {
    return this.#life;
  }

  protected get system(): System | undefined {
    return this.#system;
  }

  start(): void {
    if (this.#process !== undefined) return;
    this.#life += 1;
    const { seed, loop, plan, trace, findings } = this.world;
    const random = seededRandom(seed, "process", this.name, this.#life);
    const rate = 1 + (random.next() - 0.5) * 2 * plan.drift;
    const process = new SimulatedProcess(this.name, loop, { offsetMs: random.integer(10_000_000), rate });
    const name = `${seed}/${this.name}/${this.#life}`;
    const system = new System(process, name, {
      log: (level, path, text) => {
        trace.add(`${this.name} ${level} ${path}: ${text}`);
        const isBug = level === "error" && text.startsWith("crashed: ") && !isExpected(text);
        findings.expect("no_crash", !isBug, () => `${this.name} ${path} ${text}`);
      },
      rootExited: () => this.#left(process),
    }, seededRandom(name, "shuffle"));
    this.#process = process;
    this.#system = system;
    trace.add(`${this.name} starts, life ${this.#life}`);
    this.begin(process, system);
  }

  /** Ends the process at once; with the machine, its peers hear nothing of it. */
  kill(how: "process" | "machine" = "process"): void {
    const process = this.#process;
    if (process === undefined) return;
    this.world.trace.add(`${this.name} is killed (${how})`);
    process.end();
    this.#system?.halt();
    this.#process = this.#system = undefined;
    this.ended(process);
    this.world.network.processEnded(process, how);
  }

  /** As somebody who runs the process would. */
  startSoon(): void {
    const delayMs = this.world.random("start", this.name).next() * START_MS_MAX;
    this.world.loop.timer(delayMs, () => this.start());
  }

  pause(): void {
    if (this.#process === undefined || this.#process.isPaused) return;
    this.world.trace.add(`${this.name} is paused`);
    this.#process.pause();
  }

  goOn(): void {
    if (!this.isPaused) return;
    this.world.trace.add(`${this.name} goes on`);
    this.#process?.goOn();
  }

  /** Ends one actor as a bug in it would; its supervisor decides. */
  killActor(choose: (actors: readonly ActorView[]) => ActorView): void {
    const root = this.#system?.inspect();
    if (root === undefined || this.isPaused) return;
    const actors = below(root);
    if (actors.length === 0) return;
    const actor = choose(actors);
    this.world.trace.add(`${this.name} loses ${actor.path}`);
    this.#system?.kill({ path: actor.path, id: actor.id });
  }

  /** The process is there: begin the tree. */
  protected abstract begin(process: SimulatedProcess, system: System): void;

  /** The process is no more. */
  protected abstract ended(process: SimulatedProcess): void;

  /** The root has ended by itself: so does the process, and it is started again. */
  #left(process: SimulatedProcess): void {
    if (process !== this.#process) return;
    // Not within the turn in which it ends.
    this.world.loop.soon(() => {
      if (process !== this.#process) return;
      this.kill();
      this.startSoon();
    });
  }
}

/** What a supervisor says when it gives up, and what a store says that was superseded: both are meant to end a process. */
function isExpected(text: string): boolean {
  return text.includes("needs one restart more than") || text.startsWith("crashed: store superseded");
}

function below(view: ActorView): readonly ActorView[] {
  return view.children.flatMap((child) => [child, ...below(child)]);
}
