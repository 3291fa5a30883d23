/**
 * Networks: a layer graph brought to life, which classifies images and learns from its mistakes.
 *
 * Promise: the same graph and seed give the same weights. All memory is taken at the start, none while training.
 *
 * @module
 */
import type { LayerGraph, LayerNode } from "../../shared/space/layer_graph.ts";
import { buildOperator } from "./layer.ts";
import { type Operator, type Parameter, type Tensor, tensor } from "./operator.ts";
import { seededRandom } from "./random.ts";
import { addScoreGradient, crossEntropy, softmax } from "./softmax.ts";
import type { Vector } from "./vector.ts";

/** A classifier of images, up to `batch` at a time. */
export class Network {
  readonly batch: number;
  readonly parameters: readonly Parameter[];
  readonly #images: Tensor;
  readonly #steps: readonly Step[];
  readonly #scores: Tensor;
  readonly #probabilities: Tensor;

  /**
   * @param graph begins with an input and ends with a softmax
   * @param options the largest batch in images, and the seed of weights and dropout
   * @throws Error where a layer does not fit its place; the text names the node
   */
  constructor(graph: LayerGraph, options: { readonly batch: number; readonly seed: number }) {
    const { first, middle, last } = ends(graph);
    this.batch = options.batch;
    this.#images = tensor(first.shape, options.batch, false);
    const tensors = new Map([[first.id, this.#images]]);
    this.#steps = middle.map((node) => buildStep(node, graph, tensors, options));
    this.#scores = find(tensors, last.inputs[0] ?? "", last);
    this.#probabilities = tensor(last.shape, options.batch);
    this.parameters = this.#steps.flatMap((step) => step.operator.parameters);
  }

  /** Where the next batch is written before `forward`: pixel after pixel, image after image. */
  get images(): Vector {
    return this.#images.values;
  }

  /** Trainable numbers. */
  get size(): number {
    return this.parameters.reduce((sum, parameter) => sum + parameter.values.length, 0);
  }

  /** The probabilities of all classes for each of the first `count` images. */
  forward(count: number, isTraining: boolean): Vector {
    const pass = { count, isTraining };
    for (const { operator, inputs, output } of this.#steps) operator.forward(inputs, output, pass);
    softmax(this.#scores, this.#probabilities, count);
    return this.#probabilities.values;
  }

  /** The mean cross-entropy of the last `forward`, in nats. */
  loss(labels: Uint8Array, count: number): number {
    return crossEntropy(this.#probabilities, labels, count);
  }

  /** Sets every parameter's gradient to that of the loss of the last `forward`. */
  backward(labels: Uint8Array, count: number): void {
    for (const { gradient } of this.parameters) gradient.fill(0);
    for (const { output } of this.#steps) output.gradient.fill(0);
    addScoreGradient(this.#scores, this.#probabilities, labels, count);
    const pass = { count, isTraining: true };
    for (const { operator, inputs, output } of this.#steps.toReversed()) {
      operator.backward(inputs, output, pass);
    }
  }
}

/** One node at work. */
interface Step {
  readonly operator: Operator;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
}

function buildStep(
  node: LayerNode,
  graph: LayerGraph,
  tensors: Map<string, Tensor>,
  { batch, seed }: { readonly batch: number; readonly seed: number },
): Step {
  const inputs = node.inputs.map((id) => find(tensors, id, node));
  const output = tensor(node.shape, batch);
  tensors.set(node.id, output);
  const place = {
    inputs: inputs.map((input) => input.shape),
    output: node.shape,
    batch,
    isRectified: isRectified(node, graph),
    random: seededRandom(seed, node.id),
  };
  try {
    return { operator: buildOperator(node.layer, place), inputs, output };
  } catch (cause) {
    throw new Error(`layer ${node.id} cannot be built: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

function ends(graph: LayerGraph): { first: LayerNode; middle: readonly LayerNode[]; last: LayerNode } {
  const first = graph.nodes.at(0), last = graph.nodes.at(-1);
  if (first?.layer.op !== "input" || last?.layer.op !== "softmax") {
    throw new Error("a classifier begins with an input and ends with a softmax");
  }
  return { first, middle: graph.nodes.slice(1, -1), last };
}

function find(tensors: ReadonlyMap<string, Tensor>, id: string, reader: LayerNode): Tensor {
  const found = tensors.get(id);
  if (found === undefined) throw new Error(`layer ${reader.id} reads ${id}, which does not stand before it`);
  return found;
}

function isRectified(node: LayerNode, graph: LayerGraph): boolean {
  return graph.nodes.some(({ layer, inputs }) =>
    inputs.includes(node.id) && layer.op === "activation" && (layer.kind === "relu" || layer.kind === "elu")
  );
}
