/**
 * Optimizers: how weights follow their gradients.
 *
 * @module
 */
import type { Parameter } from "./operator.ts";
import { at, zeros } from "./vector.ts";

/** Moves the parameters one step along their gradients, at a learning rate. */
export type Update = (learningRate: number) => void;

/** The optimizers to choose from. */
export type OptimizerKind = "adam" | "sgd";

/** An optimizer over parameters, its state all zero. */
export function optimizer(kind: OptimizerKind, parameters: readonly Parameter[]): Update {
  return kind === "adam" ? adam(parameters) : sgd(parameters);
}

const MOMENTUM = 0.9;

/** Stochastic gradient descent with momentum (Sutskever and others, 2013, equation 1). */
function sgd(parameters: readonly Parameter[]): Update {
  const states = parameters.map((parameter) => ({ ...parameter, velocity: zeros(parameter.values.length) }));
  return (learningRate) => {
    for (const { values, gradient, velocity } of states) {
      for (let i = 0; i < values.length; i++) {
        const speed = MOMENTUM * at(velocity, i) - learningRate * at(gradient, i);
        velocity[i] = speed;
        values[i] = at(values, i) + speed;
      }
    }
  };
}

// The defaults of the paper.
const MEAN_DECAY = 0.9;
const SQUARE_DECAY = 0.999;
const EPSILON = 1e-8;

/** Adam (Kingma and Ba, 2015, algorithm 1, with the corrections folded into the step as its section 2 suggests). */
function adam(parameters: readonly Parameter[]): Update {
  const states = parameters.map((parameter) => ({
    ...parameter,
    mean: zeros(parameter.values.length),
    square: zeros(parameter.values.length),
  }));
  let steps = 0;
  return (learningRate) => {
    steps++;
    const rate = learningRate * Math.sqrt(1 - SQUARE_DECAY ** steps) / (1 - MEAN_DECAY ** steps);
    for (const { values, gradient, mean, square } of states) {
      for (let i = 0; i < values.length; i++) {
        const slope = at(gradient, i);
        const m = MEAN_DECAY * at(mean, i) + (1 - MEAN_DECAY) * slope;
        const v = SQUARE_DECAY * at(square, i) + (1 - SQUARE_DECAY) * slope * slope;
        mean[i] = m;
        square[i] = v;
        values[i] = at(values, i) - rate * m / (Math.sqrt(v) + EPSILON);
      }
    }
  };
}
