import fc from "fast-check";
import assert from "node:assert/strict";
import { seededRandom } from "../../shared/actor/random.ts";
import type { Candidate, Value } from "../../shared/space/candidate.ts";
import { buildGraph, GraphBuilder, type LayerPlan } from "../../shared/space/graph_builder.ts";
import { canonicalGraph } from "../../shared/space/graph_hash.ts";
import type { Layer, LayerGraph, LayerNode } from "../../shared/space/layer_graph.ts";
import { isCandidate, isList } from "../../shared/space/node.ts";
import {
  cnnSpace,
  compileSpace,
  formatProblem,
  type SearchSpace,
  type Space,
} from "../../shared/space/space.ts";
import { anyParameters } from "./space_arbitrary.ts";

const seed = fc.nat();

function compiled(space: Space): SearchSpace {
  const result = compileSpace(JSON.parse(JSON.stringify(space)));
  if (!result.ok) throw new Error(result.error.map(formatProblem).join("\n"));
  return result.value;
}

const anySpace = anyParameters.map((parameters) => compiled({ kind: "parameters", parameters }));

function assertValid(space: SearchSpace, candidate: Candidate): void {
  assert.deepEqual(space.validate(candidate).map(formatProblem), [], JSON.stringify(candidate));
}

/** The same data with the keys of every object the other way round. */
function turned(value: Value): Value {
  if (isCandidate(value)) {
    return Object.fromEntries(Object.entries(value).toReversed().map(([key, inner]) => [key, turned(inner)]));
  }
  return isList(value) ? value.map(turned) : value;
}

Deno.test("what a space draws, mutates and crosses is valid in it, after JSON too", () => {
  fc.assert(
    fc.property(anySpace, seed, fc.double({ min: 0, max: 1, noNaN: true }), (space, start, rate) => {
      const random = seededRandom(start);
      let mother = space.sample(random);
      const father = space.sample(random);
      for (let i = 0; i < 5; i++) {
        assertValid(space, mother);
        assertValid(space, JSON.parse(JSON.stringify(mother)));
        mother = space.mutate(space.crossover(mother, father, random), random, {
          rate,
          atLeastOne: i % 2 === 0,
        });
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("a mutation that must change something gives another candidate, where there is another", () => {
  fc.assert(
    fc.property(anySpace, seed, (space, start) => {
      fc.pre(space.size > 1);
      const random = seededRandom(start);
      const before = space.sample(random);
      const after = space.mutate(before, random, { rate: 0, atLeastOne: true });
      // A stepped real may land where it was only by rounding on a range of a few floats.
      if (space.size < Infinity) assert.notDeepEqual(after, before);
    }),
    { numRuns: 300 },
  );
});

Deno.test("repair leaves a valid candidate as it is, and makes a valid one of anything", () => {
  fc.assert(
    fc.property(anySpace, fc.jsonValue(), seed, (space, anything, start) => {
      const random = seededRandom(start);
      const candidate = space.sample(random);
      assert.deepEqual(space.repair(candidate, random), candidate);
      assertValid(space, space.repair(anything, random));
      const spoilt = typeof anything === "object" ? { ...candidate, ...anything } : anything;
      assertValid(space, space.repair(spoilt, random));
    }),
    { numRuns: 300 },
  );
});

Deno.test("hashes are equal exactly where candidates are, whatever the order of their keys", () => {
  fc.assert(
    fc.property(anySpace, seed, (space, start) => {
      const random = seededRandom(start);
      const candidates = Array.from({ length: 8 }, () => space.sample(random));
      for (const a of candidates) {
        const again = turned(a);
        assert.ok(isCandidate(again) && space.hash(again) === space.hash(a));
        for (const b of candidates) assert.equal(space.hash(a) === space.hash(b), isDeepEqual(a, b));
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("the same seed draws the same candidates", () => {
  fc.assert(fc.property(anySpace, seed, (space, start) => {
    assert.deepEqual(space.sample(seededRandom(start)), space.sample(seededRandom(start)));
  }));
});

Deno.test("a finite space never shows more candidates than its size", () => {
  fc.assert(
    fc.property(anySpace, seed, (space, start) => {
      fc.pre(space.size < 40);
      const random = seededRandom(start);
      const seen = new Set(Array.from({ length: 400 }, () => space.hash(space.sample(random))));
      assert.ok(seen.size <= space.size, `${seen.size} of ${space.size}`);
    }),
    { numRuns: 100 },
  );
});

Deno.test("architectures have equal hashes exactly where their graphs and training are equal", () => {
  const fixed = { learningRate: { min: 0.01, max: 0.01 }, batchSizes: [32], optimizers: ["adam" as const] };
  const small = compiled(cnnSpace({
    classes: 3,
    input: [2, 2, 1],
    blocks: { min: 1, max: 2 },
    filters: [2],
    kernels: [3],
    activations: ["relu"],
    dropouts: [0],
    dense: { min: 0, max: 0 },
    ...fixed,
  }));
  const random = seededRandom(1);
  const candidates = Array.from({ length: 150 }, () => small.sample(random));
  let equal = 0;
  let alike = 0;
  for (const a of candidates) {
    for (const b of candidates) {
      const isEqual = isDeepEqual(normalised(small.decode(a)), normalised(small.decode(b)));
      assert.equal(small.hash(a) === small.hash(b), isEqual);
      if (isEqual) equal += 1;
      if (isEqual && !isDeepEqual(a, b)) alike += 1;
    }
  }
  assert.ok(equal < candidates.length ** 2 && alike > 0);
});

/** A small random graph: convolutions of 2 filters and sums of two nodes. */
const anyGraph = fc.array(fc.tuple(fc.boolean(), fc.nat(), fc.nat()), { minLength: 1, maxLength: 7 }).map(
  (steps) => {
    const builder = new GraphBuilder([2, 2, 2]);
    const nodes: LayerNode[] = [builder.input];
    const at = (place: number) => nodes[place % nodes.length] ?? builder.input;
    steps.forEach(([isSum, a, b], index) => {
      const conv: Layer = { op: "conv2d", filters: 2, kernel: 3, stride: 1, padding: "same" };
      const id = `n${index}`;
      nodes.push(isSum ? builder.add(id, { op: "add" }, at(a), at(b)) : builder.add(id, conv, at(a)));
    });
    return builder.build(at(nodes.length - 1));
  },
);

Deno.test("the canonical graph does not depend on the nodes' names and topological order", () => {
  fc.assert(
    fc.property(anyGraph, seed, (graph, start) => {
      assert.equal(canonicalGraph(shuffled(graph, start)), canonicalGraph(graph));
    }),
    { numRuns: 300 },
  );
});

Deno.test("canonical graphs are equal exactly where the normalised graphs are", () => {
  fc.assert(
    fc.property(anyGraph, anyGraph, (a, b) => {
      assert.equal(canonicalGraph(a) === canonicalGraph(b), isDeepEqual(normalised(a), normalised(b)));
    }),
    { numRuns: 1_000 },
  );
});

/** The same graph with other names, its nodes in another topological order. */
function shuffled(graph: LayerGraph, start: number): LayerGraph {
  const random = seededRandom(start);
  const names = new Map(graph.nodes.map((node, index) => [node.id, `${random.integer(1_000)}-${index}`]));
  const renamed = (id: string) => names.get(id) ?? id;
  const output = graph.nodes.at(-1);
  const plans: LayerPlan[] = [];
  let waiting = graph.nodes.filter((node) => node !== output);
  while (waiting.length > 0) {
    const ready = waiting.filter((node) =>
      node.inputs.every((id) => plans.some((plan) => plan.id === renamed(id)))
    );
    const next = random.pick(ready);
    plans.push({ id: renamed(next.id), layer: next.layer, inputs: next.inputs.map(renamed) });
    waiting = waiting.filter((node) => node !== next);
  }
  if (output !== undefined) {
    plans.push({ id: renamed(output.id), layer: output.layer, inputs: output.inputs.map(renamed) });
  }
  const built = buildGraph(plans);
  if (!built.ok) throw new Error(built.error.message);
  return built.value;
}

/**
 * A graph as nested data, by another way than the hash's: from the output down, a node met again being the number of
 * steps after which it was met first.
 */
function normalised(graph: LayerGraph | undefined): unknown {
  const met = new Map<string, number>();
  const down = (id: string | undefined): unknown => {
    const before = id === undefined ? undefined : met.get(id);
    if (id === undefined || before !== undefined) return before;
    met.set(id, met.size);
    const node = graph?.nodes.find((one) => one.id === id);
    return [node?.layer, node?.inputs.map(down)];
  };
  return down(graph?.nodes.at(-1)?.id);
}

/** Whether two values made by the same code, so with their keys in the same order, are equal. */
function isDeepEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
