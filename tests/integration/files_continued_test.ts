/**
 * What an attempt saved outlives its worker: the next one goes on from it elsewhere, and a program finds the files.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ArtifactError, type Client, connect } from "../../client/mod.ts";
import { writeTree } from "../unit/files/rig.ts";
import { cliJson, CliProcess, inFolder } from "./cli_process.ts";

const LIMIT = { timeout: 120_000 };

/** Ten steps, of which the first attempt does seven and then waits for its end. */
const train = (folder: string) =>
  `#!/bin/sh
step=\${ESPALIER_RESTORED_STEP:-0}
echo "from $step $(cat "$ESPALIER_CHECKPOINT/model.txt" 2>/dev/null)" >> "${folder}/attempts.log"
while [ $step -lt 10 ]; do
  step=$((step + 1))
  echo "[tune-metric]: {\\"loss\\": $((10 - step)), \\"step\\": $step}"
  echo "weights $step" > "$ESPALIER_CHECKPOINT/model.txt"
  echo "[tune-checkpoint]: {\\"step\\": $step, \\"path\\": \\"model.txt\\"}"
  sleep 0.05
  if [ $step = 7 ]; then mkdir "${folder}/once" 2>/dev/null && sleep 3600; fi
done
echo "done at $step" > "$ESPALIER_DIR/train.log"
`;

const SPEC = `name: steps
space: { kind: parameters, parameters: { x: { type: real, min: 0, max: 1 } } }
evaluator: { kind: command, command: ./train.sh }
objectives: [{ metric: loss, direction: minimize }]
budget: { trials: 1 }
files: ["*.log"]
checkpoints: { keepEnded: true }
`;

Deno.test(
  "a worker killed at step 7 of 10 is gone on from at step 7, elsewhere",
  LIMIT,
  () =>
    inFolder(async (folder) => {
      await writeTree(`${folder}/code`, { "train.sh": train(folder), "steps.yaml": SPEC });
      const data = ["--data", `${folder}/master`];
      const master = new CliProcess(["master", ...data, "--port", "0"]);
      const [, url = ""] = await master.line(/^master +(http:\/\/127\.0\.0\.1:\d+)$/m);
      const named = ["--master", url, "--token-file", `${folder}/master/tokens.json`];
      const worker = (name: string) =>
        new CliProcess(["worker", ...named, "--data", `${folder}/${name}`, "--slots", "1"]);
      const first = worker("w1");
      await cliJson("run", `${folder}/code/steps.yaml`, ...data, "--detach");
      await using client = await connect({ url, dataFolder: `${folder}/master` });
      await untilSaved(client, 7);
      first.signal("SIGKILL");
      await first.finished();
      const second = worker("w2");
      const { state, best } = await (await client.experiment("steps-1")).wait();
      assert.equal(state, "completed");
      assert.deepEqual(best?.metrics, { loss: 0 });
      assert.equal(
        await Deno.readTextFile(`${folder}/attempts.log`),
        "from 0 \nfrom 7 weights 7\n",
      );
      const curve = await Array.fromAsync(client.curve("steps-1/1"));
      assert.deepEqual(curve.map(({ step }) => step), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      const { attempt, files, checkpoints } = await client.files("steps-1/1");
      assert.equal(attempt, 2);
      assert.deepEqual(checkpoints.map(({ step }) => step), [10]);
      const [log] = files;
      assert.ok(log !== undefined && log.name === "train.log");
      await client.artifacts.get(log, `${folder}/train.log`);
      assert.equal(await Deno.readTextFile(`${folder}/train.log`), "done at 10\n");
      const missing = client.artifacts.get({ sha256: "0".repeat(64), bytes: 1 }, `${folder}/none`);
      await assert.rejects(missing, (error) => error instanceof ArtifactError && error.kind === "missing");
      await second.stop();
      await master.stop();
    }),
);

/** The master has the checkpoint of this step. */
async function untilSaved(client: Client, step: number): Promise<void> {
  for (;;) {
    const kept = await client.files("steps-1/1").catch(() => undefined);
    if (kept?.checkpoints.some((each) => each.step === step)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
