import assert from "node:assert/strict";
import { readDigits, splitDigits } from "../../../examples/digits/dataset.ts";
import { Network } from "../../../examples/digits/network.ts";
import { measure, type Plan, train } from "../../../examples/digits/train.ts";
import { chain, convolution, REFERENCE } from "./sketch.ts";

const PLAN: Plan = {
  epochs: 1,
  batchSize: 16,
  learningRate: 0.005,
  optimizer: "adam",
  seed: 1,
  signal: new AbortController().signal,
};

Deno.test("a small network reads 95 of 100 unseen digits after six epochs", async () => {
  const split = splitDigits(await readDigits());
  const network = new Network(REFERENCE, { batch: 16, seed: 1 });
  await train(network, split.train, { ...PLAN, epochs: 6 });
  const { accuracy, loss } = measure(network, split.test);
  assert.ok(accuracy >= 0.95, `accuracy ${accuracy}`);
  assert.ok(loss < 0.2, `loss ${loss}`);
});

Deno.test("the same seed trains to the same weights", async () => {
  const split = splitDigits(await readDigits());
  const trained = async () => {
    const network = new Network(REFERENCE, { batch: 16, seed: 1 });
    await train(network, split.validation, PLAN);
    return network.parameters.map(({ values }) => values);
  };
  assert.deepEqual(await trained(), await trained());
});

Deno.test("an untrained network is measured at chance, whatever the batch", async () => {
  const { validation } = splitDigits(await readDigits());
  const scores = [7, 64, 1000].map((batch) =>
    measure(new Network(REFERENCE, { batch, seed: 1 }), validation)
  );
  for (const { accuracy, loss } of scores) {
    assert.ok(accuracy < 0.3);
    assert.equal(accuracy, scores[0]?.accuracy);
    assert.ok(Math.abs(loss - (scores[0]?.loss ?? NaN)) < 1e-9);
  }
});

Deno.test("training that diverges fails for good, and says in which epoch", async () => {
  const { validation } = splitDigits(await readDigits());
  const network = new Network(REFERENCE, { batch: 16, seed: 1 });
  await assert.rejects(train(network, validation, { ...PLAN, optimizer: "sgd", learningRate: 1e120 }), {
    name: "FatalError",
    message: /diverged in epoch 1: its loss is NaN\. A learning_rate below 1e\+120 may help/,
  });
});

Deno.test("training stops in the middle of an epoch when it is aborted", async () => {
  const { train: images } = splitDigits(await readDigits());
  // An epoch of this takes about a second.
  const slow = chain([8, 8, 1], [convolution(24, 5), convolution(24, 5)], 10);
  const controller = new AbortController(), epochs: number[] = [];
  const plan = { ...PLAN, signal: controller.signal };
  const training = train(
    new Network(slow, { batch: 16, seed: 1 }),
    images,
    plan,
    (epoch) => epochs.push(epoch),
  );
  const stop = setTimeout(() => controller.abort(new Error("enough")), 1);
  await assert.rejects(training, /enough/);
  clearTimeout(stop);
  assert.deepEqual(epochs, []);
});
