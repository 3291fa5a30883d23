/**
 * The normal distribution within [0, 1].
 *
 * @module
 */
import type { Random } from "../../../shared/actor/random.ts";

/** Farther than this from both ends, in deviations, cutting them off changes nothing that matters. */
const TAIL_DEVIATIONS = 4;
/** A draw lands inside at least every third time for the deviations in use; so many misses are no chance. */
const TRIES_MAX = 64;

/** The logarithm of the density at a distance of 0, for a normal distribution around `mean` cut off at 0 and 1. */
export function logPeak(mean: number, deviation: number): number {
  const below = mean / deviation;
  const above = (1 - mean) / deviation;
  const outside = (below < TAIL_DEVIATIONS ? tail(below) : 0) + (above < TAIL_DEVIATIONS ? tail(above) : 0);
  return -Math.log(deviation * Math.sqrt(2 * Math.PI) * (1 - outside));
}

/** A draw from a normal distribution around `mean`, cut off at 0 and 1. */
export function drawInside(mean: number, deviation: number, random: Random): number {
  for (let i = 0; i < TRIES_MAX; i++) {
    const value = mean + deviation * random.normal();
    if (value >= 0 && value < 1) return value;
  }
  return random.next();
}

/**
 * The probability of a standard normal draw beyond `z`, for `z` of 0 and more, to 1e-5.
 *
 * Source: Abramowitz and Stegun (1964), "Handbook of mathematical functions", 26.2.16.
 */
function tail(z: number): number {
  const t = 1 / (1 + 0.33267 * z);
  const density = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
  return density * t * (0.4361836 + t * (-0.1201676 + t * 0.937298));
}
