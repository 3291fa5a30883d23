/**
 * Softmax with cross-entropy, taken together: apart, the gradient loses its digits where a class is near certain.
 *
 * @module
 */
import type { Tensor } from "./operator.ts";
import { at } from "./vector.ts";

/** Turns the scores of each image into probabilities of the classes. */
export function softmax(scores: Tensor, probabilities: Tensor, count: number): void {
  const classes = scores.size, x = scores.values, y = probabilities.values;
  for (let start = 0; start < count * classes; start += classes) {
    let highest = -Infinity, total = 0;
    for (let c = 0; c < classes; c++) highest = Math.max(highest, at(x, start + c));
    for (let c = 0; c < classes; c++) {
      const weight = Math.exp(at(x, start + c) - highest);
      y[start + c] = weight;
      total += weight;
    }
    for (let c = 0; c < classes; c++) y[start + c] = at(y, start + c) / total;
  }
}

/** Surprise is capped here, so that one image judged with certainty and wrongly is no infinite loss. */
const LEAST_PROBABILITY = 1e-12;

/** The mean surprise at the true labels, in nats. */
export function crossEntropy(probabilities: Tensor, labels: Uint8Array, count: number): number {
  let loss = 0;
  for (let image = 0; image < count; image++) {
    const probability = at(probabilities.values, image * probabilities.size + labelOf(labels, image));
    loss -= Math.log(Math.max(LEAST_PROBABILITY, probability));
  }
  return loss / count;
}

/** Adds to the scores' gradient how the mean surprise changes with them: probability less truth. */
export function addScoreGradient(
  scores: Tensor,
  probabilities: Tensor,
  labels: Uint8Array,
  count: number,
): void {
  const classes = scores.size, dx = scores.gradient;
  for (let image = 0; image < count; image++) {
    const label = labelOf(labels, image);
    for (let c = 0; c < classes; c++) {
      const i = image * classes + c;
      dx[i] = at(dx, i) + (at(probabilities.values, i) - (c === label ? 1 : 0)) / count;
    }
  }
}

function labelOf(labels: Uint8Array, image: number): number {
  const label = labels[image];
  if (label === undefined) throw new RangeError(`image ${image} has no label`);
  return label;
}
