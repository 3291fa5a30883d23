/**
 * The example with PyTorch, small: on the CPU, or on the GPU of whoever has one.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { PYTHON } from "../unit/worker/executors_python_rig.ts";
import { cli, inFolder } from "./cli_process.ts";

const EXAMPLE = new URL("../../examples/pytorch/", import.meta.url).pathname;
const TRIALS = 2;

const hasTorch = PYTHON !== undefined &&
  (await new Deno.Command(PYTHON, { args: ["-c", "import torch"], stderr: "null" }).output()).success;

Deno.test({
  name: `a search over networks trains them with PyTorch${
    hasTorch ? "" : " (passed over: this python3 has no torch)"
  }`,
  ignore: !hasTorch,
  timeout: 240_000,
  fn: () =>
    inFolder(async (folder) => {
      for (const name of ["evaluate.py", "digits.csv.gz"]) {
        await Deno.copyFile(EXAMPLE + name, `${folder}/${name}`);
      }
      const spec = await Deno.readTextFile(`${EXAMPLE}experiment.yaml`);
      await Deno.writeTextFile(`${folder}/experiment.yaml`, spec.replace("EPOCHS=20", "EPOCHS=3"));
      const set = ["--set", `budget.trials=${TRIALS}`, "--output", "json"];
      const { code, out, notes } = await cli(
        "run",
        `${folder}/experiment.yaml`,
        "--data",
        `${folder}/data`,
        ...set,
      );
      equal(code, 0, notes);
      const { best, trials } = JSON.parse(out);
      equal(trials.completed, TRIALS);
      ok(best.metrics.accuracy > 0.12 && best.metrics.parameters > 0, out);
    }),
});
