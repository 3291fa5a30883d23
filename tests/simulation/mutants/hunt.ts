/**
 * The hunt: each mutant is put into a copy of the source and sought, seed by seed, by a process of its own.
 *
 * Promise: a mutant counts as caught only where the source as it is keeps every promise in the same seed.
 *
 * @module
 */
import { simulate } from "../simulation.ts";
import { SourceCopy } from "./copy.ts";
import { type NamedMutant } from "./named_mutant.ts";
import { seedName, type Sighting } from "./seek.ts";

/** Two processors share the hunt. */
const LANES = 2;
/** A mutant that makes the simulator spin is ended. */
const SEEK_MS_MAX = 180_000;

/** What became of a mutant. */
export interface Hunted {
  readonly mutant: NamedMutant;
  /** Undefined where it survived. */
  readonly caught: Sighting["caught"];
  /** Why it was not caught, as far as is known. */
  readonly why: string;
  readonly ms: number;
}

/** How to hunt. */
export interface HuntOptions {
  readonly mutants: readonly NamedMutant[];
  /** Seeds from 1 to this number. */
  readonly seedsMax: number;
  /** Where each was caught last: looked at first. */
  readonly hints?: Readonly<Record<string, number>>;
  readonly told?: (hunted: Hunted) => void;
}

/** Hunts all of them; in the order in which they were given. */
export async function hunt({ mutants, seedsMax, hints = {}, told }: HuntOptions): Promise<readonly Hunted[]> {
  const results = new Map<NamedMutant, Hunted>();
  const waiting = [...mutants];
  const lane = async () => {
    const copy = new SourceCopy();
    try {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        const hunted = await huntOne(copy, mutant, seedsInOrder(seedsMax, hints[mutant.name]));
        results.set(mutant, hunted);
        told?.(hunted);
      }
    } finally {
      copy.remove();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return mutants.flatMap((mutant) => results.get(mutant) ?? []);
}

function seedsInOrder(seedsMax: number, first: number | undefined): readonly number[] {
  const seeds = Array.from({ length: seedsMax }, (_, index) => index + 1);
  return first === undefined ? seeds : [first, ...seeds.filter((seed) => seed !== first)];
}

async function huntOne(copy: SourceCopy, mutant: NamedMutant, seeds: readonly number[]): Promise<Hunted> {
  const startedMs = performance.now();
  const done = (caught: Sighting["caught"], why: string): Hunted => ({
    mutant,
    caught,
    why,
    ms: performance.now() - startedMs,
  });
  const takeOut = put(copy, mutant);
  if (typeof takeOut === "string") return done(undefined, takeOut);
  try {
    const ambiguous: number[] = [];
    let left = seeds;
    while (left.length > 0) {
      const sighting = await seek(copy, mutant, left);
      if (typeof sighting === "string") return done(undefined, sighting);
      const { caught } = sighting;
      if (caught === undefined) return done(undefined, whyNot(sighting, ambiguous));
      if (isSound(mutant, caught.seed)) return done(caught, "");
      ambiguous.push(caught.seed);
      left = left.slice(left.indexOf(caught.seed) + 1);
    }
    return done(undefined, whyNot({ caught: undefined, others: {} }, ambiguous));
  } finally {
    takeOut();
  }
}

/** @returns how to take it out again, or why it could not be put in */
function put(copy: SourceCopy, mutant: NamedMutant): (() => void) | string {
  if (!("file" in mutant)) return () => {};
  try {
    return copy.put(mutant);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Whether the source without the fault keeps its promises in this seed. */
function isSound(mutant: NamedMutant, seed: number): boolean {
  const adjust = mutant.adjust === undefined ? {} : { adjust: mutant.adjust };
  return simulate(seedName(seed), adjust).violations.length === 0;
}

function whyNot({ others }: Sighting, ambiguous: readonly number[]): string {
  const found = Object.entries(others).map(([checker, seeds]) => `${checker} in ${seeds} seeds`);
  const also = ambiguous.length === 0 ? [] : [`without the fault broken too: seeds ${ambiguous.join(" ")}`];
  return [...found, ...also].join("; ") || "nobody found anything";
}

/** @returns what was seen, or why nothing could be */
async function seek(
  copy: SourceCopy,
  mutant: NamedMutant,
  seeds: readonly number[],
): Promise<Sighting | string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "-A",
      "tests/simulation/mutants/seek.ts",
      mutant.name,
      ...seeds.map(String),
    ],
    cwd: copy.path,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), SEEK_MS_MAX);
  const { success, signal, stdout, stderr } = await child.output();
  clearTimeout(timer);
  if (signal !== null) return `ended after ${SEEK_MS_MAX / 1_000} s`;
  if (!success) return `it does not run: ${new TextDecoder().decode(stderr).trim().split("\n")[0]}`;
  return JSON.parse(new TextDecoder().decode(stdout));
}
