/**
 * A node: what has a name, and one process at a time.
 *
 * Promise: a killed process leaves nothing behind but its disk; whoever runs the node starts it again.
 *
 * @module
 */
import { seededRandom } from "../../../shared/actor/random.ts";
import { type ActorView, System, type SystemEvents } from "../../../shared/actor/system.ts";
import { SimulatedProcess } from "../process.ts";
import type { World } from "../world.ts";

/** How long a process takes to be there again, at most. */
const START_MS_MAX = 2_000;
/** After a restart every child that follows at once has begun by then. */
const LOOK_AFTER_MS = 100;

/** A master, worker or client. */
export abstract class Node {
  readonly name: string;
  protected readonly world: World;
  #life = 0;
  #process: SimulatedProcess | undefined;
  #system: System | undefined;
  #pausedAtMs = 0;
  #isRetired = false;
  /** How far the machine's wall clock is off. */
  protected wallOffsetMs = 0;

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
    if (this.#process !== undefined || this.#isRetired) return;
    this.#life += 1;
    const { seed, loop, plan, trace } = this.world;
    const random = seededRandom(seed, "process", this.name, this.#life);
    const rate = 1 + (random.next() - 0.5) * 2 * plan.drift;
    if (plan.drift > 0) this.world.count("clockDrift");
    const process = new SimulatedProcess(this.name, loop, {
      offsetMs: random.integer(10_000_000),
      rate,
      wallOffsetMs: () => this.wallOffsetMs,
    });
    const name = `${seed}/${this.name}/${this.#life}`;
    const system = new System(process, name, this.#events(process), seededRandom(name, "shuffle"));
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

  /** It is not started any more: another has taken its place. */
  retire(): void {
    this.#isRetired = true;
  }

  pause(): void {
    if (this.#process === undefined || this.#process.isPaused) return;
    this.world.trace.add(`${this.name} is paused`);
    this.#pausedAtMs = this.world.loop.now();
    this.#process.pause();
  }

  /** Its machine sleeps: it is paused, and its monotonic clock stands still. */
  sleep(): void {
    this.pause();
    this.#process?.sleep();
  }

  goOn(): void {
    if (!this.isPaused) return;
    this.world.trace.add(`${this.name} goes on`);
    const { loop, plan } = this.world;
    if (loop.now() - this.#pausedAtMs > plan.lostAfterMs) this.world.reached("slept");
    this.#process?.goOn();
  }

  /** Somebody sets its machine's wall clock. */
  setWallClock(byMs: number): void {
    this.world.trace.add(`${this.name} has its wall clock set by ${Math.round(byMs)} ms`);
    this.wallOffsetMs += byMs;
  }

  /** Looks whether its supervisors kept their order. */
  checkSupervision(): void {
    this.world.supervision.look(this.name, this.#system?.inspect());
  }

  /**
   * Ends one actor as a bug in it would; its supervisor decides.
   *
   * @returns its path
   */
  killActor(choose: (actors: readonly ActorView[]) => ActorView): string | undefined {
    const root = this.#system?.inspect();
    if (root === undefined || this.isPaused) return undefined;
    const actors = below(root);
    // A tree of one actor is its root: its end is the end of the process.
    const actor = choose(actors.length === 0 ? [root] : actors);
    this.world.trace.add(`${this.name} loses ${actor.path}`);
    this.#system?.kill({ path: actor.path, id: actor.id });
    return actor.path;
  }

  /** The process is there: begin the tree. */
  protected abstract begin(process: SimulatedProcess, system: System): void;

  /** The process is no more. */
  protected abstract ended(process: SimulatedProcess): void;

  #events(process: SimulatedProcess): SystemEvents {
    const { trace, findings, supervision } = this.world;
    const restarts = supervision.begin(this.name);
    return {
      log: (level, path, text, fields) => {
        trace.add(`${this.name} ${level} ${path}: ${text}`);
        const isBug = level === "error" && text.startsWith("crashed: ") && !isExpected(text);
        findings.expect("no_crash", !isBug, () => `${this.name} ${path} ${text}`);
        const child = /^restarts (.+?): /.exec(text)?.[1];
        if (child === undefined) return;
        restarts.restarted(path, child, process.now(), fields);
        process.timer(LOOK_AFTER_MS, () => this.checkSupervision());
      },
      rootExited: () => this.#left(process),
    };
  }

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
