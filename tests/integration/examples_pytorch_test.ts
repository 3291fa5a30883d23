/**
 * The example with PyTorch, small: on the CPU, or on the GPU of whoever has one.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { PYTHON } from "../unit/worker/executors_python_rig.ts";
import { cli, inFolder } from "./cli_process.ts";
import { cnnSpace, compileSpace } from "../../shared/space/space.ts";
import { seededRandom } from "../../shared/actor/random.ts";

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
      // Of the space, networks that learn fast.
      const small =
        "input: [8, 8, 1], learningRate: { min: 0.005, max: 0.02 }, optimizers: [adam], heads: [flatten]";
      const text = spec.replace("input: [8, 8, 1]", small).replace("EPOCHS=20", "EPOCHS=3");
      await Deno.writeTextFile(`${folder}/experiment.yaml`, text);
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
      ok(best.metrics.accuracy > 0.5 && best.metrics.parameters > 0, out);
    }),
});

Deno.test({
  name: `a training with PyTorch goes on from its checkpoint${
    hasTorch ? "" : " (passed over: this python3 has no torch)"
  }`,
  ignore: !hasTorch,
  timeout: 120_000,
  fn: () =>
    inFolder(async (folder) => {
      const space = compileSpace(cnnSpace({ classes: 10 }));
      ok(space.ok);
      const candidate = space.value.sample(seededRandom(3));
      const given = JSON.stringify({ candidate, architecture: space.value.decode(candidate) });
      const source = `import json, sys
import espalier, evaluate
given, folder = json.loads(sys.argv[1]), sys.argv[2]
steps = []
def run(epochs, **more):
    evaluate.EPOCHS = epochs
    context = espalier.Context(folder=folder, architecture=given["architecture"], on_report=lambda step, _: steps.append(step), **more)
    return evaluate.evaluate(given["candidate"], context)
run(2)
again = run(4, restored=folder + "/kept/checkpoint-2", restored_step=2)
assert again["began_after"] == 2 and steps == [1, 2, 3, 4], (again, steps)`;
      const { code, stderr } = await new Deno.Command(PYTHON ?? "", {
        args: ["-B", "-c", source, given, folder],
        env: { PYTHONPATH: `${EXAMPLE}:${new URL("../../python/src", import.meta.url).pathname}` },
      }).output();
      equal(code, 0, new TextDecoder().decode(stderr));
    }),
});
