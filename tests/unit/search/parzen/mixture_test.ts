import assert from "node:assert/strict";
import { SpaceCoding } from "../../../../master/search/parzen/coding.ts";
import { ParzenMixture } from "../../../../master/search/parzen/mixture.ts";
import { seededRandom } from "../../../../shared/actor/random.ts";
import {
  choice,
  integer,
  option,
  optional,
  parameters,
  real,
  repeat,
} from "../../../../shared/space/builders.ts";
import { canonicalText } from "../../../../shared/space/canonical.ts";
import { compileSpace, type SearchSpace, type Space } from "../../../../shared/space/space.ts";

function compiled(space: Space): SearchSpace {
  const result = compileSpace(space);
  if (!result.ok) throw new Error("the space does not compile");
  return result.value;
}

const nested = compiled(parameters({
  rate: real(1e-4, 1, { log: true }),
  fixed: integer(3, 3),
  momentum: real(0, 1, { when: { parameter: "optimizer", equals: "sgd" } }),
  optimizer: choice(["adam", "sgd"]),
  layers: repeat(0, 3, { units: integer(8, 64, { step: 8 }), dropout: optional(real(0, 0.5)) }),
  head: choice(["linear", option("mlp", { units: integer(1, 9) })]),
}));
const finite = compiled(parameters({
  kind: choice(["a", "b", option("c", { deep: choice([1, 2, 3]) })]),
  more: choice([1, 2], { when: { parameter: "kind", equals: "b" } }),
  list: repeat(0, 2, choice([true, false])),
}));

Deno.test("a code and the choices in it give the candidate back", () => {
  const coding = new SpaceCoding(nested.root);
  for (let seed = 0; seed < 200; seed++) {
    const candidate = nested.sample(seededRandom(seed));
    const code = coding.encode(candidate);
    const drawn = coding.draw((site) => code.values[code.sites.indexOf(site)] ?? NaN);
    assert.deepEqual(coding.encode(drawn).sites, code.sites);
    coding.encode(drawn).values.forEach((value, i) =>
      assert.ok(Math.abs(value - (code.values[i] ?? NaN)) < 1e-9)
    );
  }
});

Deno.test("over a finite tree with conditions and lists, the density sums to 1", () => {
  const coding = new SpaceCoding(finite.root);
  const all = new Map(
    Array.from({ length: 3_000 }, (_, seed) => finite.sample(seededRandom(seed)))
      .map((candidate) => [canonicalText(candidate), coding.encode(candidate)]),
  );
  assert.equal(all.size, finite.size);
  const observed = [...all.values()].slice(0, 5);
  for (const observations of [[], observed]) {
    const density = new ParzenMixture(observations, coding.sites.kinds);
    const sum = [...all.values()].reduce((total, code) => total + Math.exp(density.logDensity(code)), 0);
    assert.ok(Math.abs(sum - 1) < 1e-9, String(sum));
  }
});

Deno.test("over a scale, the density integrates to 1, near its ends too", () => {
  const coding = new SpaceCoding(compiled(parameters({ x: real(0, 1) })).root);
  const observations = [0, 0.02, 0.3, 0.99].map((x) => coding.encode({ x }));
  const density = new ParzenMixture(observations, coding.sites.kinds);
  const steps = 10_000;
  let sum = 0;
  for (let i = 0; i < steps; i++) {
    sum += Math.exp(density.logDensity(coding.encode({ x: (i + 0.5) / steps })));
  }
  assert.ok(Math.abs(sum / steps - 1) < 1e-4, String(sum / steps));
});

Deno.test("what is drawn is as frequent as the density says", () => {
  const coding = new SpaceCoding(finite.root);
  const observations = [1, 2, 3].map((seed) => coding.encode(finite.sample(seededRandom(seed))));
  const density = new ParzenMixture(observations, coding.sites.kinds);
  const random = seededRandom("draws");
  const counts = new Map<string, { count: number; expected: number }>();
  const draws = 20_000;
  for (let i = 0; i < draws; i++) {
    const candidate = coding.draw(density.chooser(random));
    assert.deepEqual(finite.validate(candidate), []);
    const text = canonicalText(candidate);
    const entry = counts.get(text) ??
      { count: 0, expected: draws * Math.exp(density.logDensity(coding.encode(candidate))) };
    counts.set(text, { ...entry, count: entry.count + 1 });
  }
  for (const [text, { count, expected }] of counts) {
    const limit = 5 * Math.sqrt(expected) + 5;
    assert.ok(Math.abs(count - expected) < limit, `${text}: ${count}, expected ${expected}`);
  }
});
