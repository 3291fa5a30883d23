/**
 * The evaluator: trains a candidate on the digits and says how well it does on images it has not learned from.
 *
 * Promise: the same candidate and seed give the same metrics. A search only ever sees the validation part; the test
 * part is for `finalTest`, once, after the search.
 *
 * @module
 */
import type { LayerGraph } from "../../shared/space/layer_graph.ts";
import { CLASSES, type Dataset, join, PIXELS, readDigits, splitDigits } from "./dataset.ts";
import { FatalError } from "./fatal_error.ts";
import { Network } from "./network.ts";
import { sizeOf } from "./operator.ts";
import { settingsOf } from "./settings.ts";
import { measure, type Score, train } from "./train.ts";

/** The candidate's values, as the search chose them. */
export type Values = Readonly<Record<string, unknown>>;

/** What the runtime tells an evaluator about the attempt, beside the candidate. */
export interface Context {
  /** What the candidate decodes to, where the space has architectures. */
  readonly architecture: LayerGraph | undefined;
  readonly seed: number;
  readonly trial: number;
  readonly attempt: number;
  /** Aborted when the attempt is cancelled or pruned. */
  readonly signal: AbortSignal;
  /** Reports metrics of a step, here of an epoch. */
  report(step: number, metrics: Record<string, number>): void;
}

/**
 * Trains on the train part and measures on the validation part after every epoch.
 *
 * @returns accuracy and loss on the validation part, the number of parameters, and the epochs trained
 * @throws FatalError where the candidate cannot be trained or its training diverges: a failure is never a bad score
 */
export async function evaluate(
  candidate: Values,
  context: Context,
): Promise<{ accuracy: number; loss: number; parameters: number; epochs: number }> {
  const { train: learned, validation } = splitDigits(await readDigits());
  let score: Score = { accuracy: NaN, loss: NaN };
  const { network, epochs } = await trained(candidate, context, learned, SEARCH_BUDGET, (network) => {
    score = scoreOf(network, validation);
    return score;
  });
  return { ...score, parameters: network.size, epochs };
}

/**
 * Trains on all but the test part, for longer, and measures on the test part: what a search has found, judged once.
 *
 * @returns accuracy and loss on the test part, and the number of parameters
 * @throws FatalError as `evaluate` does
 */
export async function finalTest(
  candidate: Values,
  context: Context,
): Promise<{ test_accuracy: number; test_loss: number; parameters: number }> {
  const { train: learned, validation, test } = splitDigits(await readDigits());
  const { network } = await trained(
    candidate,
    context,
    join(learned, validation),
    FINAL_BUDGET,
    () => undefined,
  );
  const { accuracy, loss } = scoreOf(network, test);
  return { test_accuracy: accuracy, test_loss: loss, parameters: network.size };
}

/** How long to train: about as much computing for each architecture, so that one of many layers gets fewer epochs. */
interface Budget {
  /** In multiply-adds; a core does three billion a second. */
  readonly multiplyAdds: number;
  /** Even the largest network sees the images this often. */
  readonly epochsMin: number;
  /** Beyond this a small network learns no more. */
  readonly epochsMax: number;
}

/** Two seconds a trial, four for the largest network of the space. */
const SEARCH_BUDGET: Budget = { multiplyAdds: 8e9, epochsMin: 2, epochsMax: 16 };
/** Ten seconds, at most fifteen. */
const FINAL_BUDGET: Budget = { multiplyAdds: 30e9, epochsMin: 5, epochsMax: 40 };

/** Forwards once; backwards once to the weights and once to the inputs. */
const PRODUCTS_A_STEP = 3;

/** A candidate, trained; `measured` is asked for metrics after every epoch, and they are reported. */
async function trained(
  candidate: Values,
  context: Context,
  learned: Dataset,
  budget: Budget,
  measured: (network: Network) => Score | undefined,
): Promise<{ network: Network; epochs: number }> {
  const { seed, signal } = context;
  const settings = settingsOf(candidate);
  const graph = classifierOf(context);
  const network = new Network(graph, { batch: settings.batchSize, seed });
  const epochs = epochsFor(graph, learned.count, budget);
  await train(network, learned, { ...settings, epochs, seed, signal }, (epoch, loss) => {
    context.report(epoch, { ...measured(network), train_loss: loss });
  });
  return { network, epochs };
}

/** A network's score, which must be one. */
function scoreOf(network: Network, dataset: Dataset): Score {
  const score = measure(network, dataset);
  if (Number.isFinite(score.loss)) return score;
  throw new FatalError(`the training diverged: the loss on unseen images is ${score.loss}`);
}

/** Epochs that the budget pays for. */
function epochsFor(
  graph: LayerGraph,
  images: number,
  { multiplyAdds, epochsMin, epochsMax }: Budget,
): number {
  const perEpoch = multiplyAddsOf(graph) * PRODUCTS_A_STEP * images;
  return Math.max(epochsMin, Math.min(epochsMax, Math.floor(multiplyAdds / perEpoch)));
}

/** Multiply-adds to classify one image: each weight once for every place where it is used. */
function multiplyAddsOf({ nodes }: LayerGraph): number {
  return nodes.reduce((sum, { parameters, shape }) => sum + parameters * sizeOf(shape.slice(0, -1)), 0);
}

function classifierOf({ architecture }: Context): LayerGraph {
  const input = architecture?.nodes.at(0)?.shape ?? [], output = architecture?.nodes.at(-1)?.shape ?? [];
  if (architecture !== undefined && sizeOf(input) === PIXELS && sizeOf(output) === CLASSES) {
    return architecture;
  }
  throw new FatalError(
    `this evaluator trains networks from [8, 8, 1] to [${CLASSES}], not from [${input.join(", ")}] to ` +
      `[${output.join(", ")}]: write "space: { kind: cnn, classes: ${CLASSES}, input: [8, 8, 1] }"`,
  );
}
