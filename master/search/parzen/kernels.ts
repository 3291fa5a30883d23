/**
 * Kernels: how each observed candidate spreads over one site, around the value that it has there.
 *
 * Where a candidate has no value at the site it spreads evenly.
 *
 * Source: of options, Aitchison and Aitken (1976), "Multivariate binary discrimination by the kernel method", Biometrika
 * 63; of scales, normal distributions cut off at the ends (Bergstra et al. 2011, section 4.2), as wide as Scott's rule
 * says, with the floor of Watanabe (2023), arXiv 2304.11127, section 3.3.
 *
 * @module
 */
import type { Random } from "../../../shared/actor/random.ts";
import type { SiteKind } from "./sites.ts";
import { drawInside, logPeak } from "./truncated_normal.ts";

/** The kernels of all observations at one site. */
export interface SiteKernels {
  /** A value near that of one observation. */
  draw(observation: number, random: Random): number;
  /** Adds the logarithm of what each observation's kernel has at a value: observation i's to `logs[i]`. */
  addLogs(value: number, logs: Float64Array): void;
}

/**
 * The narrowest kernel on a scale is one part in as many as there are observations, and in this many at most:
 * Watanabe's "magic clipping", which keeps a few observations close together from hiding the rest of the scale.
 */
const CLIPPING_MAX = 100;
/** Scott's rule in one dimension: the deviation of the values times their number to this power. */
const SCOTT_EXPONENT = -1 / 5;
/** Stands for the value of an observation without one; no option and no place on a scale. */
export const ABSENT = -1;

/**
 * The kernels at a site.
 *
 * @param values one an observation; `ABSENT` where it has none
 */
export function kernelsOf(kind: SiteKind, values: Float64Array): SiteKernels {
  return kind.type === "options"
    ? new OptionsKernels(kind.count, values)
    : new ScaleKernels(kind.resolution, values);
}

/** A value where nothing is known of the site. */
export function drawEven(kind: SiteKind, random: Random): number {
  return kind.type === "options" ? random.integer(kind.count) : random.next();
}

/** The logarithm of the density that is even over a site. */
export function logEven(kind: SiteKind): number {
  return kind.type === "options" ? -Math.log(kind.count) : 0;
}

class OptionsKernels implements SiteKernels {
  readonly #count: number;
  readonly #values: Float64Array;
  /** The part of each kernel that is spread over all options: each counts as seen once in all observations together. */
  readonly #evenPart: number;
  /** The logarithms by what the observation has, the last for none; one option's place is filled in for a while. */
  readonly #logs: Float64Array;
  readonly #logSame: number;

  constructor(count: number, values: Float64Array) {
    this.#count = count;
    this.#values = values;
    this.#evenPart = count / (values.length + count);
    const other = this.#evenPart / count;
    this.#logs = new Float64Array(count + 1).fill(Math.log(other));
    this.#logs[count] = -Math.log(count);
    this.#logSame = Math.log(1 - this.#evenPart + other);
  }

  draw(observation: number, random: Random): number {
    const value = this.#values[observation] ?? ABSENT;
    const stays = value !== ABSENT && random.next() >= this.#evenPart;
    return stays ? value : random.integer(this.#count);
  }

  addLogs(value: number, logs: Float64Array): void {
    const own = this.#values;
    const none = this.#count;
    // Looked up, since branches between the three cases would be most of a proposal's time.
    const byOwn = this.#logs;
    const other = byOwn[value] ?? 0;
    byOwn[value] = this.#logSame;
    for (let i = 0; i < own.length; i++) {
      const option = own[i] ?? ABSENT;
      logs[i] = (logs[i] ?? 0) + (byOwn[option === ABSENT ? none : option] ?? 0);
    }
    byOwn[value] = other;
  }
}

class ScaleKernels implements SiteKernels {
  readonly #values: Float64Array;
  readonly #deviation: number;
  /** The logarithm of each kernel's height, and its fall by distance squared; both 0 where there is no value. */
  readonly #peaks: Float64Array;
  readonly #falls: Float64Array;

  constructor(resolution: number, values: Float64Array) {
    const deviation = deviationOf(values.filter((value) => value !== ABSENT), resolution);
    this.#deviation = deviation;
    this.#values = values;
    this.#peaks = values.map((value) => value === ABSENT ? 0 : logPeak(value, deviation));
    this.#falls = values.map((value) => value === ABSENT ? 0 : 1 / (2 * deviation ** 2));
  }

  draw(observation: number, random: Random): number {
    const value = this.#values[observation] ?? ABSENT;
    return value === ABSENT ? random.next() : drawInside(value, this.#deviation, random);
  }

  addLogs(value: number, logs: Float64Array): void {
    const own = this.#values;
    const peaks = this.#peaks;
    const falls = this.#falls;
    for (let i = 0; i < own.length; i++) {
      const distance = value - (own[i] ?? 0);
      logs[i] = (logs[i] ?? 0) + (peaks[i] ?? 0) - distance * distance * (falls[i] ?? 0);
    }
  }
}

/**
 * Scott's rule with a floor.
 *
 * @param resolution the part of the scale that each value owns: a kernel much narrower would be a comb
 */
function deviationOf(values: Float64Array, resolution: number): number {
  const n = values.length;
  if (n === 0) return 1;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
  const floor = Math.max(1 / Math.min(n + 1, CLIPPING_MAX), resolution / 2);
  return Math.max(floor, Math.sqrt(variance) * n ** SCOTT_EXPONENT);
}
