/**
 * Dropout: while training, a random part of the numbers is left out and the rest scaled up to make good for it.
 *
 * @module
 */
import { only, type Operator, type Pass, type Tensor } from "./operator.ts";
import type { Random } from "./random.ts";
import { at, type Vector, zeros } from "./vector.ts";

/** Inverted dropout (Srivastava and others, 2014): outside of training it changes nothing. */
export class Dropout implements Operator {
  readonly parameters = [];
  readonly #rate: number;
  readonly #random: Random;
  readonly #scales: Vector;

  /** @param length numbers of the largest batch */
  constructor(rate: number, length: number, random: Random) {
    if (!(rate >= 0 && rate < 1)) throw new Error(`a dropout rate lies in [0, 1), not at ${rate}`);
    this.#rate = rate;
    this.#random = random;
    this.#scales = zeros(length);
  }

  forward(inputs: readonly Tensor[], output: Tensor, { count, isTraining }: Pass): void {
    const x = only(inputs).values, y = output.values, scales = this.#scales;
    const length = count * output.size;
    if (isTraining) this.#draw(length);
    else scales.fill(1, 0, length);
    for (let i = 0; i < length; i++) y[i] = at(x, i) * at(scales, i);
  }

  backward(inputs: readonly Tensor[], output: Tensor, { count }: Pass): void {
    const input = only(inputs);
    if (!input.wantsGradient) return;
    const dx = input.gradient, dy = output.gradient, scales = this.#scales;
    for (let i = 0; i < count * output.size; i++) dx[i] = at(dx, i) + at(dy, i) * at(scales, i);
  }

  #draw(length: number): void {
    const kept = 1 / (1 - this.#rate), scales = this.#scales, random = this.#random;
    for (let i = 0; i < length; i++) scales[i] = random() < this.#rate ? 0 : kept;
  }
}
