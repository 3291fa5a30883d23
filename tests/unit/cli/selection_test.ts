import assert from "node:assert/strict";
import { UsageError } from "../../../client/cli/failure.ts";
import { numbersOf, parseSelection, selected } from "../../../client/cli/selection.ts";
import type { ExperimentSummary } from "../../../client/mod.ts";
import { summaryOf } from "./summaries.ts";

Deno.test("a selection is a group, one task of it, or a range of them", () => {
  assert.deepEqual(parseSelection("prepare.1"), { group: "prepare.1", tasks: undefined });
  assert.deepEqual(parseSelection("prepare.1/all"), { group: "prepare.1", tasks: undefined });
  assert.deepEqual(parseSelection("prepare.1/7"), { group: "prepare.1", tasks: { first: 7, last: 7 } });
  assert.deepEqual(numbersOf({ first: 8, last: 10 }), [8, 9, 10]);
});

Deno.test("what selects nothing is wrong usage that says what would", () => {
  for (
    const text of ["", "a b", "a/0", "a/3-1", "a/1-", "a/x", "a/1/2", "a/1-2-3", "/1", "a/1-99999999999"]
  ) {
    assert.throws(() => parseSelection(text), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, /selects nothing: expected GROUP, GROUP\/7, GROUP\/1-10, last or all/);
      return true;
    }, text);
  }
  assert.throws(() => parseSelection("a/1-10001"), /more than 10000 tasks/);
});

Deno.test("last is the newest experiment, all are those that are not over", async () => {
  const experiments: ExperimentSummary[] = [
    summaryOf("third-3", { state: "completed" }),
    summaryOf("second-2", { state: "paused" }),
    summaryOf("first-1", { state: "running" }),
  ];
  const client = {
    show: () => Promise.resolve(experiments[0] ?? summaryOf("none-0")),
    experiments: () => Promise.resolve(experiments),
  };
  assert.deepEqual(await selected(client, ["last/2-3", "all", "job.4"]), [
    { group: "third-3", tasks: { first: 2, last: 3 } },
    { group: "second-2", tasks: undefined },
    { group: "first-1", tasks: undefined },
    { group: "job.4", tasks: undefined },
  ]);
  experiments.splice(1);
  await assert.rejects(() => selected(client, ["all"]), /no experiment is open/);
});
