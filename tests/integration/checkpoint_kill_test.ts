/**
 * What was saved outlives the master and the worker that were there when it was: both are killed at once.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Client, connect } from "../../client/mod.ts";
import { writeTree } from "../unit/files/rig.ts";
import { cliJson, CliProcess, inFolder } from "./cli_process.ts";
import { assertVerified } from "./fleet/verified.ts";

const LIMIT = { timeout: 120_000 };

/** Ten steps, a checkpoint after each third; the first attempt stays at the seventh. */
const TRAIN = (mark: string) =>
  `import os, time

def evaluate(candidate, context):
    first = int(open(context.restore()).read()) + 1 if context.restore() else 1
    state = os.path.join(context.folder, "state.txt")
    for step in range(first, 11):
        context.report(step, loss=10 - step)
        if step % 3 == 0:
            with open(state, "w") as file:
                file.write(str(step))
            context.checkpoint(state)
        if step == 7 and not os.path.exists("${mark}"):
            open("${mark}", "w").close()
            time.sleep(3600)
    return {"loss": 0, "began_after": context.restored_step or 0}
`;

const SPEC = `name: steps
space: { kind: parameters, parameters: { x: { type: real, min: 0, max: 1 } } }
evaluator: { kind: python, path: ./train.py }
objectives: [{ metric: loss, direction: minimize }]
budget: { trials: 1 }
`;

Deno.test(
  "a master and its worker that are killed at step 7 of 10 cost the steps behind the last checkpoint, and the curve has each once",
  LIMIT,
  () => inFolder((folder) => killedAtSeven(folder, false)),
);

Deno.test(
  "where the master's disk has lost the checkpoint, the trial begins anew, and its curve has each step once",
  LIMIT,
  () => inFolder((folder) => killedAtSeven(folder, true)),
);

async function killedAtSeven(folder: string, losesCheckpoint: boolean): Promise<void> {
  await writeTree(`${folder}/code`, { "train.py": TRAIN(`${folder}/been-there`), "steps.yaml": SPEC });
  const data = ["--data", `${folder}/master`];
  const startMaster = (port: string) => new CliProcess(["master", ...data, "--port", port]);
  const before = startMaster("0");
  const [, url = ""] = await before.line(/^master +(http:\/\/127\.0\.0\.1:\d+)$/m);
  const startWorker = () => {
    const token = ["--token-file", `${folder}/master/tokens.json`];
    return new CliProcess([
      "worker",
      "--master",
      url,
      ...token,
      "--data",
      `${folder}/w1`,
      "--slots",
      "1",
    ]);
  };
  const killed = startWorker();
  await cliJson("run", `${folder}/code/steps.yaml`, ...data, "--detach");
  {
    await using client = await connect({ url, dataFolder: `${folder}/master` });
    await untilReported(client, 7);
  }
  before.signal("SIGKILL");
  killed.signal("SIGKILL");
  await Promise.all([before.finished(), killed.finished()]);
  if (losesCheckpoint) await Deno.remove(`${folder}/master/artifacts`, { recursive: true });
  const master = startMaster(new URL(url).port);
  await master.line(/^master +http/m);
  const worker = startWorker();
  await using client = await connect({ url, dataFolder: `${folder}/master` });
  const { state, best } = await (await client.experiment("steps-1")).wait();
  assert.equal(state, "completed");
  assert.deepEqual(best?.metrics, { loss: 0, began_after: losesCheckpoint ? 0 : 6 });
  const curve = await Array.fromAsync(client.curve("steps-1/1"));
  assert.deepEqual(curve.map(({ step }) => step), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual((await client.files("steps-1/1")).checkpoints, [], "it has its outcome");
  await worker.stop();
  await master.stop();
  assertVerified(`${folder}/master`);
}

/** The master has this step's report, and the checkpoint before it. */
async function untilReported(client: Client, step: number): Promise<void> {
  for (;;) {
    const curve = await Array.fromAsync(client.curve("steps-1/1")).catch(() => []);
    const { checkpoints } = await client.files("steps-1/1").catch(() => ({ checkpoints: [] }));
    if (curve.at(-1)?.step === step && checkpoints[0]?.step === 6) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
