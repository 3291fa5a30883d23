/**
 * A run: a phase with faults, then everything is healed, and all that was asked for must come to its end.
 *
 * Promise: the same seed gives the same report, hash included, on every machine and in every order of runs.
 *
 * @module
 */
import { checkEnding, isAtRest } from "./checkers/ending.ts";
import type { CheckerName, Violation } from "./findings.ts";
import type { Mutant } from "./mutant.ts";
import type { FaultName } from "./faults.ts";
import { Nemesis } from "./nemesis.ts";
import type { Plan } from "./plan.ts";
import { drawPlan } from "./plan_draw.ts";
import type { ScenarioName } from "./scenarios.ts";
import {
  drawSchedule,
  type HappenedEvent,
  isCalamity,
  isRequest,
  LONG_SLEEP_MS,
  type ScheduledEvent,
} from "./schedule.ts";
import { StoreHands } from "./store_hands.ts";
import { World } from "./world.ts";
import { isWorkDone, keepResuming, Workload } from "./workload.ts";

/**
 * The bound of liveness: whatever was asked for must have ended so long after the last fault, with retries, probation and
 * deadlines. (Most seeds take seconds, the slowest of a thousand about two minutes.)
 */
export const HEALED_WITHIN_MS = 1_200_000;
/** So many events on one instant are a livelock. */
const EVENTS_PER_INSTANT_MAX = 100_000;

/** How a run may differ from what its seed draws. */
export interface SimulationOptions {
  /** Changes what the seed has drawn. */
  readonly adjust?: (plan: Plan) => Plan;
  readonly mutant?: Mutant;
  readonly print?: (line: string) => void;
  /** Called once the nodes are started: for directed scenarios. */
  readonly direct?: (world: World) => void;
  /** Numbers of events in the schedule that are left out. */
  readonly without?: ReadonlySet<number>;
  /** Ends the run after so many events. */
  readonly stepsMax?: number;
}

/** What came of a run. */
export interface Report {
  readonly seed: string;
  readonly hash: string;
  readonly steps: number;
  readonly virtualMs: number;
  /** What was met, and how often. */
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  /** What struck and what was asked, in order. */
  readonly happened: readonly HappenedEvent[];
  /** Interleavings that came about, and how often. */
  readonly reached: Readonly<Partial<Record<ScenarioName, number>>>;
  readonly looked: Readonly<Partial<Record<CheckerName, number>>>;
  readonly violations: readonly Violation[];
  readonly tail: readonly string[];
}

/** Runs a seed to its end, or to its first violations. */
export function simulate(seed: string, options: SimulationOptions = {}): Report {
  const drawn = drawPlan(seed);
  const plan = options.adjust?.(drawn) ?? drawn;
  const world = new World({ seed, plan, mutant: options.mutant, print: options.print });
  const run = new Run(world, options.stepsMax ?? Infinity);
  // Who sleeps for long comes back before all is healed.
  const activeMs = plan.activeMs + (plan.calamity === "long_sleep" ? LONG_SLEEP_MS : 0);
  try {
    for (const node of world.nodes) world.loop.timer(world.random("begin").next() * 500, () => node.start());
    play(world, drawSchedule(seed, plan), options.without ?? NONE);
    options.direct?.(world);
    run.until(() => false, activeMs);
    world.heal();
    keepResuming(world);
    const isOver = run.until(() => isWorkDone(world) && isAtRest(world), activeMs + HEALED_WITHIN_MS);
    if (!run.isCutShort) checkEnding(world, isOver);
  } catch (error) {
    // Nothing that the nodes do may throw into the loop.
    world.findings.expect(
      "no_crash",
      false,
      () => error instanceof Error ? error.stack ?? "" : String(error),
    );
  } finally {
    for (const node of world.nodes) node.kill();
  }
  return report(world, run.steps);
}

const NONE: ReadonlySet<number> = new Set();

/** Lets each event of the schedule strike at its time. */
function play(world: World, schedule: readonly ScheduledEvent[], without: ReadonlySet<number>): void {
  const workload = new Workload(world);
  const hands = new StoreHands(world);
  for (const event of schedule) {
    const { kind, number } = event;
    world.loop.timer(event.atMs, () => {
      // Its timer stays, or the loop would draw another order for everything else.
      if (without.has(number)) return;
      const random = world.random("event", String(number));
      const words = isRequest(kind)
        ? workload.ask(kind, number, random)
        : isCalamity(kind)
        ? hands.strike(kind, random)
        : new Nemesis(world, random).strike(kind);
      if (words === undefined) return;
      world.trace.add(`event ${number}: ${words}`);
      world.happened.push({ ...event, words });
    });
  }
}

class Run {
  readonly #world: World;
  readonly #stepsMax: number;
  steps = 0;
  #instantMs = -1;
  #onInstant = 0;

  constructor(world: World, stepsMax: number) {
    this.#world = world;
    this.#stepsMax = stepsMax;
  }

  get isCutShort(): boolean {
    return this.#world.findings.violations.length > 0 || this.steps >= this.#stepsMax;
  }

  /** @returns whether the condition held before the time was over */
  until(condition: () => boolean, limitMs: number): boolean {
    const { loop } = this.#world;
    return loop.runUntil(() => {
      this.#step();
      return this.isCutShort || (this.steps % 64 === 0 && condition());
    }, limitMs) && !this.isCutShort;
  }

  #step(): void {
    const { loop, findings } = this.#world;
    this.steps += 1;
    if (loop.now() !== this.#instantMs) this.#onInstant = 0;
    this.#instantMs = loop.now();
    this.#onInstant += 1;
    findings.expect("liveness", this.#onInstant < EVENTS_PER_INSTANT_MAX, () => "time stands still");
  }
}

function report(world: World, steps: number): Report {
  const { seed, trace, findings, loop, met } = world;
  return {
    seed,
    hash: trace.hash,
    steps,
    virtualMs: loop.now(),
    faults: Object.fromEntries([...met].sort(([one], [other]) => one < other ? -1 : 1)),
    happened: world.happened,
    reached: Object.fromEntries(world.reachedScenarios),
    looked: Object.fromEntries(findings.looked),
    violations: findings.violations,
    tail: trace.tail,
  };
}
