import { commandExecutor } from "../../worker/executors/command/command.ts";
import { testExecutor } from "./executor_suite.ts";

const input = { candidate: { value: 1 } };
const quick = {
  evaluator: { kind: "command", command: ["echo", '[tune-metric]: {{"value": {value}}}'] } as const,
  input,
};

testExecutor("a command that ends when it is asked", {
  create: commandExecutor,
  quick,
  endless: { evaluator: { kind: "command", command: ["sleep", "3600"] }, input },
});

testExecutor("a command that ignores SIGTERM, as do its children", {
  create: commandExecutor,
  quick,
  // Its grace is over as soon as the test says so: the suite's second stop has none.
  endless: {
    evaluator: { kind: "command", command: ["sh", "-c", "trap '' TERM; sleep 3600 & sleep 3600"] },
    input,
  },
});
