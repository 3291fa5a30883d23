/**
 * How fast sockets may come in: a bucket of tokens that refills with time.
 *
 * @module
 */

/** Connections that may come at once: a whole fleet after a restart of the master. */
export const UPGRADE_BURST = 1_000;
/** And then so many a second. Each one costs a fraction of a millisecond. */
export const UPGRADES_PER_SECOND = 500;

/** Limits the rate of connections. */
export class UpgradeRate {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #lookedAtMs: number;

  constructor(nowMs: number, burst: number = UPGRADE_BURST, perSecond: number = UPGRADES_PER_SECOND) {
    this.#burst = this.#left = burst;
    this.#perSecond = perSecond;
    this.#lookedAtMs = nowMs;
  }

  /** Whether one more may come in now. */
  admits(nowMs: number): boolean {
    const refill = (nowMs - this.#lookedAtMs) / 1_000 * this.#perSecond;
    this.#left = Math.min(this.#burst, this.#left + refill);
    this.#lookedAtMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
