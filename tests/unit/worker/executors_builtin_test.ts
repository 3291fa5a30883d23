import { deepEqual, equal, match, ok } from "node:assert/strict";
import { builtinExecutor } from "../../../worker/executors/builtin.ts";
import type { Evaluator } from "../../../shared/model/task.ts";
import { GraphBuilder } from "../../../shared/space/graph_builder.ts";
import { heuristicScore } from "../../../shared/space/heuristic.ts";
import { attemptOf, observe, run } from "../../conformance/executor_attempts.ts";

const builtin = (name: "noop" | "sleep" | "heuristic"): Evaluator => ({ kind: "builtin", name });

Deno.test("noop ends within its start, whatever its payload", () => {
  const attempt = {
    ...attemptOf({ evaluator: builtin("noop"), input: { candidate: {} } }),
    payload: new Uint8Array(),
  };
  deepEqual(observe(builtinExecutor(), attempt).events, [
    { type: "ended", end: { state: "completed", metrics: { value: 0 } } },
  ]);
});

Deno.test("sleep takes the candidate's milliseconds", async () => {
  const started = performance.now();
  const end = await run(builtinExecutor(), { evaluator: builtin("sleep"), input: { candidate: { ms: 20 } } });
  ok(performance.now() - started >= 19);
  deepEqual(end, { state: "completed", metrics: { ms: 20 } });
});

Deno.test("a sleep that cannot be slept is a final failure", async () => {
  for (const candidate of [{}, null, { ms: -1 }, { ms: NaN }, { ms: "20" }, { ms: 2 ** 31 }]) {
    const end = await run(builtinExecutor(), { evaluator: builtin("sleep"), input: { candidate } });
    ok(end.state === "failed" && end.final, JSON.stringify(candidate));
    match(end.message, /needs a candidate \{ ms \} with a number from 0 to 2147483647/);
  }
});

Deno.test("heuristic scores the architecture", async () => {
  const builder = new GraphBuilder([8, 8, 1]);
  const flat = builder.add("flat", { op: "flatten" }, builder.input);
  const architecture = builder.build(builder.add("logits", { op: "dense", units: 10 }, flat));
  const end = await run(builtinExecutor(), {
    evaluator: builtin("heuristic"),
    input: { candidate: {}, architecture },
  });
  deepEqual(end, { state: "completed", metrics: { ...heuristicScore(architecture) } });
});

Deno.test("heuristic without a layer graph is a final failure that says so", async () => {
  const none = await run(builtinExecutor(), { evaluator: builtin("heuristic"), input: { candidate: {} } });
  ok(none.state === "failed" && none.final);
  match(none.message, /this candidate has none: use it with a space that decodes to one/);
  for (const architecture of [{}, { nodes: [] }, { nodes: [1] }, { nodes: [{ id: "a" }] }, "graph"]) {
    const end = await run(builtinExecutor(), {
      evaluator: builtin("heuristic"),
      input: { candidate: {}, architecture },
    });
    equal(
      end.state === "failed" && end.final && end.message,
      "the candidate's architecture is not a layer graph",
    );
  }
});
