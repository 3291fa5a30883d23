import assert from "node:assert/strict";
import { seededRandom } from "../../../shared/actor/random.ts";
import { isRecord } from "../../../shared/space/problem.ts";
import { compileSpace, formatProblem, type SearchSpace } from "../../../shared/space/space.ts";

function compiled(parameters: Record<string, unknown>): SearchSpace {
  const result = compileSpace({ kind: "parameters", parameters });
  if (!result.ok) throw new Error(result.error.map(formatProblem).join("\n"));
  return result.value;
}

function problems(json: unknown): readonly string[] {
  const result = compileSpace(json);
  return result.ok ? [] : result.error.map(formatProblem);
}

function problemsOfParameters(parameters: Record<string, unknown>): readonly string[] {
  return problems({ kind: "parameters", parameters });
}

const bit = { type: "choice", options: [0, 1] };

Deno.test("every mistake in a space is named with its path", () => {
  assert.deepEqual(problems({ kind: "resnet" }), ["kind: expected one of the kinds parameters, cnn"]);
  assert.deepEqual(problems({ kind: "cnn" }), ["classes: is missing; expected a number"]);
  assert.deepEqual(problems({ kind: "cnn", classes: 10, filter: [4] }), [
    "filter: there is no such key; leave it out",
  ]);
  assert.deepEqual(problemsOfParameters({ a: { type: "intger", min: 1, max: 2 } }), [
    "parameters.a.type: expected one of choice, integer, real, repeat, optional, group",
  ]);
  assert.deepEqual(problemsOfParameters({ a: { type: "integer", min: 4, max: 1 } }), [
    "parameters.a: min 4 is above max 1",
  ]);
  assert.deepEqual(problemsOfParameters({ a: { type: "real", min: 0, max: 1, log: true } }), [
    "parameters.a: log needs a min above 0, and min is 0",
  ]);
  assert.deepEqual(problemsOfParameters({ a: { type: "choice", options: ["x", "y", "x"] } }), [
    'parameters.a.options[2]: the option "x" stands twice',
  ]);
});

Deno.test("a mistake inside a nested part is named where it is, whichever form the part has", () => {
  assert.deepEqual(
    problemsOfParameters({ a: { type: "repeat", min: 1, max: 2, of: { type: "integer", min: 1 } } }),
    [
      "parameters.a.of.max: is missing; expected a number",
    ],
  );
  assert.deepEqual(
    problemsOfParameters({ a: { type: "repeat", min: 1, max: 2, of: { b: { type: "integer", min: 1 } } } }),
    ["parameters.a.of.b.max: is missing; expected a number"],
  );
  assert.deepEqual(
    problemsOfParameters({
      a: { type: "choice", options: ["x", { name: "y", of: { b: { type: "real", min: 1 } } }] },
    }),
    ["parameters.a.options[1].of.b.max: is missing; expected a number"],
  );
});

Deno.test("a condition that can never hold is a mistake", () => {
  const choice = { type: "choice", options: ["adam", "sgd"] };
  const when = (condition: unknown) => ({ type: "integer", min: 1, max: 2, when: condition });
  assert.deepEqual(problemsOfParameters({ a: choice, b: when({ parameter: "a", equals: "sdg" }) }), [
    'parameters.b.when: a is never "sdg"; it is one of "adam", "sgd"',
  ]);
  assert.deepEqual(problemsOfParameters({ a: choice, b: when({ parameter: "c", equals: "sgd" }) }), [
    "parameters.b.when: there is no parameter c beside this one or around it",
  ]);
  assert.deepEqual(problemsOfParameters({ b: when({ parameter: "b", equals: 1 }) }), [
    "parameters.b.when: a parameter cannot depend on itself",
  ]);
  assert.deepEqual(problemsOfParameters({ a: choice, b: when({ parameter: "a" }) }), [
    "parameters.b.when: a condition has either equals: a value, or in: [values]",
  ]);
  const circle = {
    a: { ...bit, when: { parameter: "b", equals: 1 } },
    b: { ...bit, when: { parameter: "a", equals: 1 } },
  };
  assert.deepEqual(problemsOfParameters(circle), [
    "parameters: these parameters depend on each other in a circle: a, b",
  ]);
});

Deno.test("an optional part of an optional part is refused, since null would mean two things", () => {
  assert.deepEqual(problemsOfParameters({ a: { type: "optional", of: { type: "optional", of: bit } } }), [
    "parameters.a.of: an optional part is optional already; leave one of the two out",
  ]);
});

Deno.test("a space that would exhaust the stack or the memory is refused", () => {
  let deep: unknown = bit;
  for (let i = 0; i < 50_000; i++) deep = { type: "optional", of: deep };
  assert.deepEqual(problemsOfParameters({ deep }), ["the space nests deeper than 64 levels"]);
  const thousand = (of: unknown) => ({ type: "repeat", min: 0, max: 1000, of });
  assert.deepEqual(problemsOfParameters({ large: thousand(thousand(bit)) }), [
    "parameters: a candidate could have 1000000 values; it may have 10000",
  ]);
});

Deno.test("names that objects inherit are names like any other", () => {
  const space = compiled({ constructor: bit, toString: bit });
  assert.deepEqual(Object.keys(space.sample(seededRandom(1))), ["constructor", "toString"]);
  assert.equal(space.validate({}).length, 2);
  assert.deepEqual(
    problemsOfParameters({ x: { ...bit, when: { parameter: "valueOf", equals: 1 } } }).length,
    1,
  );
});

Deno.test("a parameter takes part exactly when its condition holds, in whichever order they are written", () => {
  const space = compiled({
    momentum: { type: "real", min: 0, max: 1, when: { parameter: "optimizer", equals: "sgd" } },
    optimizer: { type: "choice", options: ["adam", "sgd"] },
  });
  const random = seededRandom(1);
  const seen = new Set<string>();
  for (let i = 0; i < 50; i++) {
    const candidate = space.sample(random);
    assert.equal("momentum" in candidate, candidate["optimizer"] === "sgd");
    seen.add(Object.keys(candidate).join());
  }
  assert.equal(seen.size, 2);
  assert.deepEqual(space.validate({ optimizer: "adam" }), []);
  assert.deepEqual(space.validate({ optimizer: "adam", momentum: 0.5 }).map(formatProblem), [
    "momentum: has a value, though its condition does not hold",
  ]);
  assert.deepEqual(space.validate({ optimizer: "sgd" }).map(formatProblem), [
    "momentum: expected a number from 0 to 1, found nothing",
  ]);
});

Deno.test("a condition looks outwards, at options with parameters too", () => {
  const space = compiled({
    kind: {
      type: "choice",
      options: ["plain", { name: "rich", of: { depth: { type: "integer", min: 1, max: 3 } } }],
    },
    parts: {
      type: "repeat",
      min: 1,
      max: 1,
      of: { extra: { ...bit, when: { parameter: "kind", equals: "rich" } } },
    },
  });
  assert.deepEqual(space.validate({ kind: "plain", parts: [{}] }), []);
  assert.deepEqual(space.validate({ kind: { rich: { depth: 2 } }, parts: [{ extra: 1 }] }), []);
  assert.deepEqual(space.validate({ kind: { rich: { depth: 2 } }, parts: [{}] }).map(formatProblem), [
    "parts[0].extra: expected one of 0, 1, found nothing",
  ]);
  assert.equal(space.size, 1 + 3 * 2);
});

Deno.test("an inactive parameter switches off what depends on it", () => {
  const space = compiled({
    a: bit,
    b: { ...bit, when: { parameter: "a", equals: 1 } },
    c: { ...bit, when: { parameter: "b", equals: 1 } },
  });
  assert.deepEqual(space.validate({ a: 0 }), []);
  assert.deepEqual(space.validate({ a: 1, b: 0 }), []);
  assert.deepEqual(space.validate({ a: 1, b: 1, c: 0 }), []);
  assert.equal(space.size, 4);
});

Deno.test("a candidate's problems name the value and what was expected", () => {
  const space = compiled({
    units: { type: "integer", min: 8, max: 64, step: 8 },
    layers: {
      type: "repeat",
      min: 1,
      max: 2,
      of: { kernel: { type: "choice", options: [3, "5", { name: "x", of: {} }] } },
    },
  });
  assert.deepEqual(
    space.validate({ units: 12, layers: [{ kernel: 3 }, { kernel: 5 }], more: 1 }).map(formatProblem),
    [
      "units: expected a step of 8 from 8 to 64, found 12",
      'layers[1].kernel: expected one of 3, "5", {x: ...}, found 5',
      "more: the space has no such parameter",
    ],
  );
  assert.deepEqual(space.validate([]).map(formatProblem), ["expected values by name, found a list of 0"]);
  assert.deepEqual(space.validate({ units: 8, layers: [] }).map(formatProblem), [
    "layers: expected a list of 1 to 2, found a list of 0",
  ]);
});

Deno.test("integers are drawn over their whole range, in steps, both ends included", () => {
  const space = compiled({
    n: { type: "integer", min: 1, max: 10, step: 4 },
    m: { type: "integer", min: 1, max: 3, log: true },
  });
  const random = seededRandom(1);
  const drawn = Array.from({ length: 200 }, () => space.sample(random));
  assert.deepEqual(new Set(drawn.map(({ n }) => n)), new Set([1, 5, 9]));
  const counts = [1, 2, 3].map((value) => drawn.filter(({ m }) => m === value).length);
  assert.ok(
    (counts[0] ?? 0) > (counts[1] ?? 0) && (counts[1] ?? 0) > (counts[2] ?? 0) && (counts[2] ?? 0) > 0,
  );
});

Deno.test("a log real is drawn as often from each order of magnitude", () => {
  const space = compiled({ rate: { type: "real", min: 1e-4, max: 1, log: true } });
  const random = seededRandom(1);
  const decades = [0, 0, 0, 0];
  for (let i = 0; i < 4000; i++) {
    const rate = Number(space.sample(random)["rate"]);
    const decade = Math.floor(Math.log10(rate)) + 4;
    decades[decade] = (decades[decade] ?? 0) + 1;
  }
  assert.equal(decades.length, 4);
  assert.ok(decades.every((count) => count > 850 && count < 1150), String(decades));
});

Deno.test("the size counts candidates, and is infinite where a real is free", () => {
  assert.equal(compiled({ a: bit, b: { type: "integer", min: 1, max: 10, step: 3 } }).size, 2 * 4);
  assert.equal(compiled({ a: { type: "repeat", min: 0, max: 2, of: bit } }).size, 1 + 2 + 4);
  assert.equal(compiled({ a: { type: "optional", of: bit } }).size, 3);
  assert.equal(
    compiled({ a: { type: "choice", options: ["x", { name: "y", of: { b: bit, c: bit } }] } }).size,
    5,
  );
  assert.equal(compiled({ a: { type: "real", min: 0, max: 1 } }).size, Infinity);
  assert.equal(compiled({ a: { type: "real", min: 1, max: 1 } }).size, 1);
  const digit = { type: "integer", min: 0, max: 9 };
  assert.equal(compiled({ a: digit, b: { ...bit, when: { parameter: "a", in: [3, 4] } } }).size, 8 + 2 * 2);
});

Deno.test("the hash does not depend on the order of keys, and depends on every value", () => {
  const space = compiled({
    a: bit,
    b: { type: "choice", options: [1, "1", true] },
    c: { type: "group", of: { d: bit, e: bit } },
  });
  const hash = space.hash({ a: 0, b: 1, c: { d: 0, e: 1 } });
  assert.match(hash, /^[0-9a-f]{32}$/);
  assert.equal(space.hash({ c: { e: 1, d: 0 }, b: 1, a: 0 }), hash);
  const others = [
    { a: 1, b: 1, c: { d: 0, e: 1 } },
    { a: 0, b: "1", c: { d: 0, e: 1 } },
    { a: 0, b: true, c: { d: 0, e: 1 } },
    { a: 0, b: 1, c: { d: 1, e: 1 } },
    { a: 0, b: 1, c: { d: 1, e: 0 } },
  ].map((candidate) => space.hash(candidate));
  assert.equal(new Set([hash, ...others]).size, 6);
});

Deno.test("the hash of a candidate stays what it was when it was stored", () => {
  // A changed hash would let a restarted search propose again what it has tried.
  const space = compiled({ a: bit, rate: { type: "real", min: 0, max: 1 } });
  assert.equal(space.hash({ a: 1, rate: 0.25 }), "83a1a8883dba9a8c340ce939c6e9d0ed");
});

Deno.test("repair moves numbers into range, cuts and fills lists, drops what has no place", () => {
  const space = compiled({
    units: { type: "integer", min: 8, max: 64, step: 8 },
    rate: { type: "real", min: 0, max: 1 },
    kernel: { type: "choice", options: [3, 5, 7] },
    layers: { type: "repeat", min: 1, max: 2, of: { type: "integer", min: 1, max: 9 } },
    extra: { ...bit, when: { parameter: "kernel", equals: 3 } },
  });
  const random = seededRandom(1);
  const given = { units: 30, rate: 7, kernel: 6.2, layers: [0, 4, 5], extra: 1, unknown: true };
  assert.deepEqual(space.repair(given, random), { units: 32, rate: 1, kernel: 7, layers: [1, 4] });
  for (const nonsense of [null, 5, "x", [], { layers: {}, units: NaN, kernel: null, rate: "1" }]) {
    assert.deepEqual(space.validate(space.repair(nonsense, random)), []);
  }
});

Deno.test("a mutation at rate 0 that must change something changes one value", () => {
  const space = compiled({
    a: bit,
    b: bit,
    c: { type: "integer", min: 1, max: 9 },
    d: { type: "choice", options: ["only"] },
  });
  const random = seededRandom(1);
  for (let i = 0; i < 100; i++) {
    const before = space.sample(random);
    const after = space.mutate(before, random, { rate: 0, atLeastOne: true });
    const changed = Object.keys(before).filter((name) => before[name] !== after[name]);
    assert.equal(changed.length, 1, JSON.stringify([before, after]));
    assert.deepEqual(space.mutate(before, random, { rate: 0 }), before);
  }
});

Deno.test("every value of a crossed child comes from one of its parents", () => {
  const space = compiled({
    a: { type: "real", min: 0, max: 1 },
    b: { type: "group", of: { c: { type: "real", min: 0, max: 1 } } },
    d: { type: "repeat", min: 0, max: 4, of: { type: "real", min: 0, max: 1 } },
  });
  const random = seededRandom(1);
  const numbers = (value: unknown): readonly unknown[] =>
    Array.isArray(value) || isRecord(value) ? Object.values(value).flatMap(numbers) : [value];
  for (let i = 0; i < 100; i++) {
    const [mother, father] = [space.sample(random), space.sample(random)];
    const inherited = new Set([...numbers(mother), ...numbers(father)]);
    assert.ok(numbers(space.crossover(mother, father, random)).every((value) => inherited.has(value)));
  }
});
