/**
 * Spaces for property tests: any nesting of every kind of parameter, with conditions on what stands beside and around.
 *
 * @module
 */
import fc from "fast-check";
import type { Condition, Parameter, Parameters, Scalar } from "../../shared/space/parameter.ts";

/** Options of the choices that conditions look at. */
const OPTIONS: readonly Scalar[] = ["a", "b", 3, true];

const number: fc.Arbitrary<Parameter> = fc.oneof(
  fc.record({
    min: fc.integer({ min: -20, max: 20 }),
    span: fc.nat(40),
    step: fc.integer({ min: 1, max: 7 }),
  })
    .map(({ min, span, step }): Parameter => ({ type: "integer", min, max: min + span, step })),
  fc.record({ min: fc.integer({ min: 1, max: 9 }), span: fc.nat(500), step: fc.integer({ min: 1, max: 7 }) })
    .map(({ min, span, step }): Parameter => ({ type: "integer", min, max: min + span, step, log: true })),
  fc.record({
    min: fc.double({ min: 1e-6, max: 10, noNaN: true }),
    span: fc.double({ min: 0, max: 100, noNaN: true }),
    log: fc.boolean(),
  })
    .map(({ min, span, log }): Parameter => ({ type: "real", min, max: min + span, log })),
);

const choice: fc.Arbitrary<Parameter> = fc.uniqueArray(fc.constantFrom(...OPTIONS, "1", 1, false), {
  minLength: 1,
})
  .map((options): Parameter => ({ type: "choice", options }));

const { parameters } = fc.letrec<
  { parameter: Parameter; parameters: Parameters; part: Parameter | Parameters }
>((tie) => ({
  part: fc.oneof({ depthSize: "small" }, tie("parameter"), tie("parameters")),
  parameter: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    number,
    choice,
    fc.record({ min: fc.nat(2), more: fc.nat(2), of: tie("part") })
      .map(({ min, more, of }): Parameter => ({ type: "repeat", min, max: min + more, of })),
    tie("part").map((of): Parameter => of["type"] === "optional" ? of : { type: "optional", of }),
    tie("parameters").map((of): Parameter => ({ type: "group", of })),
    tie("parameters").map((of): Parameter => ({ type: "choice", options: ["x", { name: "nested", of }] })),
  ),
  parameters: fc.record({
    members: fc.dictionary(
      fc.constantFrom("p", "q", "r", "constructor"),
      fc.tuple(tie("parameter"), condition()),
      {
        minKeys: 1,
        maxKeys: 3,
      },
    ),
    switchOptions: fc.constant(OPTIONS),
    switchFirst: fc.boolean(),
  }).map(({ members, switchOptions, switchFirst }): Parameters => {
    const entries = Object.entries(members).map(([name, [parameter, when]]): [string, Parameter] => [
      name,
      when === undefined ? parameter : { ...parameter, when },
    ]);
    const control: [string, Parameter] = ["switch", { type: "choice", options: switchOptions }];
    return Object.fromEntries(switchFirst ? [control, ...entries] : [...entries, control]);
  }),
}));

function condition(): fc.Arbitrary<Condition | undefined> {
  return fc.oneof(
    fc.constant(undefined),
    fc.constantFrom(...OPTIONS).map((equals) => ({ parameter: "switch", equals })),
    fc.subarray([...OPTIONS], { minLength: 1 }).map((values) => ({ parameter: "switch", in: values })),
  );
}

/** Parameters of a space that compiles, mostly. */
export const anyParameters: fc.Arbitrary<Parameters> = parameters;
