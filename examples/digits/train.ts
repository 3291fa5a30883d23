/**
 * Training: epochs of mini-batches, each epoch measured on images that are not learned from.
 *
 * @module
 */
import { augment } from "./augment.ts";
import type { Dataset } from "./dataset.ts";
import { FatalError } from "./fatal_error.ts";
import type { Network } from "./network.ts";
import { optimizer, type OptimizerKind } from "./optimizer.ts";
import { type Random, seededRandom, shuffle } from "./random.ts";
import { at, type Vector } from "./vector.ts";

/** How to train. */
export interface Plan {
  readonly epochs: number;
  /** Images a step, at most the network's batch. */
  readonly batchSize: number;
  /** Of the first step; it falls to zero along half a cosine (Loshchilov and Hutter, 2017). */
  readonly learningRate: number;
  readonly optimizer: OptimizerKind;
  /** Decides the order of the images. */
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** How well a network does on a dataset. */
export interface Score {
  /** Part of the images whose likeliest class is the true one. */
  readonly accuracy: number;
  /** Mean cross-entropy in nats. */
  readonly loss: number;
}

/** A cancellation comes through the event loop: it waits no longer than this, and a turn costs about 1 ms. */
const TURN_EVERY_MS = 50;

/**
 * Trains a network in place.
 *
 * @param afterEpoch told the epoch, from 1, and the mean loss over its batches
 * @throws FatalError when a loss is no longer finite: the same seed would end there again
 * @throws the signal's reason when it is aborted, within a tenth of a second
 */
export async function train(
  network: Network,
  dataset: Dataset,
  plan: Plan,
  afterEpoch: (epoch: number, loss: number) => void = () => {},
): Promise<void> {
  const update = optimizer(plan.optimizer, network.parameters);
  const random = seededRandom(plan.seed, "order"), variation = seededRandom(plan.seed, "variation");
  const order = new Uint32Array(dataset.count).map((_, row) => row);
  const steps = Math.ceil(dataset.count / plan.batchSize);
  let turnedAt = -Infinity;
  for (let epoch = 1; epoch <= plan.epochs; epoch++) {
    shuffle(order, random);
    let total = 0;
    for (let step = 0; step < steps; step++) {
      if (performance.now() - turnedAt > TURN_EVERY_MS) {
        await turnOfEventLoop();
        turnedAt = performance.now();
      }
      plan.signal.throwIfAborted();
      const rows = order.subarray(step * plan.batchSize, (step + 1) * plan.batchSize);
      const progress = (epoch - 1 + step / steps) / plan.epochs;
      const loss = learn(network, dataset, rows, variation);
      if (!Number.isFinite(loss)) throw divergence(epoch, loss, plan);
      update(plan.learningRate * (1 + Math.cos(Math.PI * progress)) / 2);
      total += loss * rows.length;
    }
    afterEpoch(epoch, total / dataset.count);
  }
}

function turnOfEventLoop(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Measures a network, with dropout off. */
export function measure(network: Network, dataset: Dataset): Score {
  let hits = 0, loss = 0;
  for (let start = 0; start < dataset.count; start += network.batch) {
    const count = Math.min(network.batch, dataset.count - start);
    const rows = new Uint32Array(count).map((_, i) => start + i);
    const labels = load(network, dataset, rows);
    const probabilities = network.forward(count, false);
    const classes = probabilities.length / network.batch;
    loss += network.loss(labels, count) * count;
    for (let image = 0; image < count; image++) {
      const likeliest = largestOf(probabilities.subarray(image * classes, (image + 1) * classes));
      if (likeliest === labels[image]) hits++;
    }
  }
  return { accuracy: hits / dataset.count, loss: loss / dataset.count };
}

/** One step's gradients, and its loss. */
function learn(network: Network, dataset: Dataset, rows: Uint32Array, variation: Random): number {
  const labels = load(network, dataset, rows, variation);
  network.forward(rows.length, true);
  network.backward(labels, rows.length);
  return network.loss(labels, rows.length);
}

/** Writes images into the network's input, varied where a variation is given; their labels. */
function load(network: Network, dataset: Dataset, rows: Uint32Array, variation?: Random): Uint8Array {
  const { images, labels, count } = dataset;
  const size = images.length / count;
  rows.forEach((row, place) => {
    const image = images.subarray(row * size, (row + 1) * size);
    if (variation === undefined) network.images.set(image, place * size);
    else augment(image, network.images, place * size, variation);
  });
  return Uint8Array.from(rows, (row) => labels[row] ?? NaN);
}

function largestOf(values: Vector): number {
  let largest = 0;
  for (let i = 1; i < values.length; i++) if (at(values, i) > at(values, largest)) largest = i;
  return largest;
}

function divergence(epoch: number, loss: number, plan: Plan): FatalError {
  return new FatalError(
    `the training diverged in epoch ${epoch}: its loss is ${loss}. ` +
      `A learning_rate below ${plan.learningRate} may help`,
  );
}
