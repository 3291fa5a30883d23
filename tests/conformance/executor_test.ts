import { GraphBuilder } from "../../shared/space/graph_builder.ts";
import { builtinExecutor } from "../../worker/executors/builtin.ts";
import { moduleExecutor } from "../../worker/executors/module/module.ts";
import { fixture } from "./executor_attempts.ts";
import { testExecutor } from "./executor_suite.ts";

const HOUR_MS = 3_600_000;

const builder = new GraphBuilder([8, 8, 1]);
const flat = builder.add("flat", { op: "flatten" }, builder.input);
const architecture = builder.build(builder.add("logits", { op: "dense", units: 10 }, flat));

testExecutor("noop", {
  create: builtinExecutor,
  quick: { evaluator: { kind: "builtin", name: "noop" }, input: { candidate: {} } },
});

testExecutor("heuristic", {
  create: builtinExecutor,
  quick: { evaluator: { kind: "builtin", name: "heuristic" }, input: { candidate: {}, architecture } },
});

testExecutor("sleep", {
  create: builtinExecutor,
  quick: { evaluator: { kind: "builtin", name: "sleep" }, input: { candidate: { ms: 1 } } },
  endless: { evaluator: { kind: "builtin", name: "sleep" }, input: { candidate: { ms: HOUR_MS } } },
});

testExecutor("a module that looks at its signal", {
  create: moduleExecutor,
  quick: { evaluator: fixture("measures"), input: { candidate: { value: 1 } } },
  endless: { evaluator: fixture("waits_for_stop"), input: { candidate: {} } },
});

testExecutor("a module in a loop", {
  create: moduleExecutor,
  quick: { evaluator: fixture("measures"), input: { candidate: { value: 1 } } },
  endless: { evaluator: fixture("loops"), input: { candidate: {} } },
});
