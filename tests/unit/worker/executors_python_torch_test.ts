/**
 * Layer graphs as PyTorch modules: every layer has the shape and the parameters that our own rules say.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type Random, seededRandom } from "../../../shared/actor/random.ts";
import { GraphBuilder } from "../../../shared/space/graph_builder.ts";
import type { LayerGraph, LayerNode } from "../../../shared/space/layer_graph.ts";
import { cnnSpace, compileSpace } from "../../../shared/space/space.ts";
import { failureOf, metricsOf, PYTHON, testPython, withPython } from "./executors_python_rig.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const SOURCES = `${ROOT}python/src`;
const STAND_IN = `${ROOT}tests/fixtures/torch_stand_in`;
/** Architectures of the CNN space. */
const CNNS = 50;
/** Graphs with what that space does not have: strides, even kernels, no padding, concatenations. */
const OTHERS = 30;

const hasTorch = PYTHON !== undefined &&
  await python(["-c", "import torch"], SOURCES).then(({ code }) => code === 0);

testPython(
  "50 networks of the CNN space and 30 others have our shapes and parameters in a stand-in for PyTorch",
  () => assertSizes(`${SOURCES}:${STAND_IN}`),
);

Deno.test({
  name: `50 networks of the CNN space and 30 others have our shapes and parameters in PyTorch${
    hasTorch ? "" : " (passed over: this python3 has no torch)"
  }`,
  ignore: !hasTorch,
  timeout: 120_000,
  fn: () => assertSizes(SOURCES),
});

Deno.test({
  name: `a network of the CNN space learns in PyTorch and can be saved${
    hasTorch ? "" : " (passed over: this python3 has no torch)"
  }`,
  ignore: !hasTorch,
  timeout: 120_000,
  fn: async () => {
    const learns = `import io, json, sys, torch, espalier
torch.manual_seed(1)
graph = json.loads(sys.argv[1])
model = espalier.torch_model(graph, logits=True)
batch, labels = torch.randn(32, 1, 8, 8), torch.randint(10, (32,))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
losses = []
for _ in range(60):
    loss = torch.nn.functional.cross_entropy(model(batch), labels)
    optimizer.zero_grad(); loss.backward(); optimizer.step(); losses.append(loss.item())
assert losses[-1] < losses[0] - 0.3, losses
file = io.BytesIO(); torch.save(model, file); file.seek(0)
again = torch.load(file, weights_only=False).eval()
assert torch.equal(again(batch), model.eval()(batch))
sums = espalier.torch_model(graph).eval()(batch).sum(dim=1)
assert torch.allclose(sums, torch.ones(32)), sums`;
    const { code, out } = await python(["-c", learns, JSON.stringify(cnns(1)[0])], SOURCES);
    equal(code, 0, out);
  },
});

withPython("without PyTorch, or without a layer graph, torch_model says what is missing", async (rig) => {
  const evaluator = await rig.write(`sys.modules["torch"] = None
return {"layers": len(espalier.torch_model(candidate.get("graph")).wiring)}`);
  const graph = cnns(1)[0];
  match(
    failureOf(await rig.start(evaluator, { graph }).ended).message,
    /ImportError: torch_model needs PyTorch, which is not installed for .*python.*: install torch there, or name another interpreter/,
  );
  match(
    failureOf(await rig.start(evaluator).ended).message,
    /needs a layer graph, .* was given None: the space has none/,
  );
});

withPython("context.architecture is what torch_model takes", async (rig) => {
  const evaluator = await rig.write(`sys.path.append(${JSON.stringify(STAND_IN)})
return {"layers": len(espalier.torch_model(context.architecture).wiring)}`);
  const [graph] = cnns(1);
  const { encode } = await import("@msgpack/msgpack");
  const payload = encode({ candidate: {}, architecture: graph }, { ignoreUndefined: true });
  equal(metricsOf(await rig.given(evaluator, { payload }).ended)["layers"], graph?.nodes.length);
});

async function assertSizes(path: string): Promise<void> {
  const graphs = [...cnns(CNNS), ...others(OTHERS)];
  const file = await Deno.makeTempFile({ prefix: "espalier-graphs-", suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify(graphs));
    const { code, out } = await python([`${ROOT}tests/fixtures/torch_sizes.py`, file], path);
    equal(code, 0, out);
    const told: unknown[] = out.trim().split("\n").map((line) => JSON.parse(line));
    const expected = graphs.map(({ nodes }) =>
      nodes.slice(1).map(({ id, shape, parameters }) => [id, channelsFirst(shape), parameters])
    );
    deepEqual(told, expected);
    ok(new Set(graphs.flatMap(({ nodes }) => nodes.map(({ layer }) => layer.op))).size >= 11);
  } finally {
    await Deno.remove(file);
  }
}

function cnns(count: number): LayerGraph[] {
  const random = seededRandom(7);
  const sizes: [number, number, number][] = [[8, 8, 1], [28, 28, 1], [15, 9, 3]];
  return Array.from({ length: count }, (_, index) => {
    const input = sizes[index % sizes.length] ?? [8, 8, 1];
    const space = compileSpace(cnnSpace({ classes: 10, input, kernels: [1, 2, 3, 5] }));
    const graph = space.ok ? space.value.decode(space.value.sample(random)) : undefined;
    if (graph === undefined) throw new Error("a cnn has an architecture");
    return graph;
  });
}

function others(count: number): LayerGraph[] {
  const random = seededRandom(8);
  return Array.from({ length: count }, () => {
    const builder = new GraphBuilder([pick(random, 7, 12), pick(random, 7, 13), pick(random, 1, 3)]);
    const conv = (id: string, input: LayerNode) =>
      builder.add(id, {
        op: "conv2d",
        filters: pick(random, 1, 6),
        kernel: pick(random, 1, 4),
        stride: pick(random, 1, 3),
        padding: random.next() < 0.7 ? "same" : "valid",
      }, input);
    const trunk = conv("a.conv", builder.input);
    const one = builder.add("one", { op: "activation", kind: "tanh" }, trunk);
    const joined = builder.add("joined", { op: "concat" }, trunk, one);
    const pool = builder.pool("pool", random.next() < 0.5 ? "max" : "average", 2, joined);
    const small = builder.add(
      "small",
      { op: "conv2d", filters: 4, kernel: 2, stride: 3, padding: "same" },
      pool,
    );
    const flat = builder.add("flat", { op: "global_pool", kind: "max" }, small);
    const sum = builder.add(
      "sum",
      { op: "add" },
      flat,
      flat,
      builder.add("dense", { op: "dense", units: 4 }, small),
    );
    return builder.build(builder.add("output", { op: "softmax" }, sum));
  });
}

function pick(random: Random, least: number, most: number): number {
  return least + random.integer(most - least + 1);
}

/** PyTorch has the channels of a map first. */
function channelsFirst(shape: readonly number[]): readonly number[] {
  const [height, width, channels] = shape;
  return channels === undefined ? shape : [channels, height, width].map(Number);
}

async function python(
  args: readonly string[],
  path: string,
): Promise<{ readonly code: number; readonly out: string }> {
  const env = { PYTHONPATH: path };
  const { code, stdout, stderr } = await new Deno.Command(PYTHON ?? "", {
    args: ["-B", ...args],
    env,
    stdin: "null",
  })
    .output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout) + (code === 0 ? "" : text.decode(stderr)) };
}
