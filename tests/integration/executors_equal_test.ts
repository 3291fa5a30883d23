/**
 * One experiment on the digits through three executors: the same search, and the same quality.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { PYTHON } from "../unit/worker/executors_python_rig.ts";
import { cli, cliJson, CliProcess, inFolder } from "./cli_process.ts";

const EVALUATORS = new URL("../fixtures/evaluators/digits/", import.meta.url).pathname;
const DATA = new URL("../../examples/digits/digits.csv.gz", import.meta.url).pathname;
const TRIALS = 8;
/** Two languages may round an exponential differently in its last digit. */
const TOLERANCE = 1e-6;

const KINDS = {
  module: { kind: "module", path: "./evaluate.ts" },
  python: { kind: "python", path: "./evaluate.py" },
  command: {
    kind: "command",
    command: "python3 ./evaluate.py --rate {rate} --epochs {epochs} --decay {decay}",
    result: "last_line",
  },
} as const;

interface Trial {
  readonly candidate: unknown;
  readonly accuracy: number;
}

Deno.test({
  name:
    `an experiment on the digits has the same trials and the same accuracy as a module, in Python and as a command${
      PYTHON === undefined ? " (passed over: there is no python3)" : ""
    }`,
  timeout: 120_000,
  ignore: PYTHON === undefined,
  fn: () =>
    inFolder(async (folder) => {
      for (const name of ["evaluate.ts", "evaluate.py"]) {
        await Deno.copyFile(`${EVALUATORS}${name}`, `${folder}/${name}`);
      }
      await Deno.writeTextFile(`${folder}/digits.csv`, await unzipped(DATA));
      const data = `${folder}/data`;
      const master = new CliProcess(["master", "--data", data, "--port", "0"]);
      await master.line(/^master +http/m);
      const worker = new CliProcess(["worker", "--data", data, "--slots", "2"]);
      const module = await search(folder, "module");
      equal(module.length, TRIALS);
      const best = Math.max(...module.map(({ accuracy }) => accuracy));
      ok(best > 0.8, `the best accuracy is ${best}`);
      for (const kind of ["python", "command"] as const) {
        const trials = await search(folder, kind);
        deepEqual(trials.map(({ candidate }) => candidate), module.map(({ candidate }) => candidate), kind);
        for (const [index, { accuracy }] of trials.entries()) {
          const other = module[index]?.accuracy ?? NaN;
          ok(
            Math.abs(accuracy - other) < TOLERANCE,
            `trial ${index + 1}: ${kind} ${accuracy}, module ${other}`,
          );
        }
      }
      await worker.stop();
      await master.stop();
    }),
});

/** The trials of a search with one kind of evaluator, by number. */
async function search(folder: string, kind: keyof typeof KINDS): Promise<readonly Trial[]> {
  const spec = {
    name: kind,
    space: {
      kind: "parameters",
      parameters: {
        rate: { type: "real", min: 0.01, max: 1, log: true },
        epochs: { type: "integer", min: 1, max: 4 },
        decay: { type: "real", min: 1e-6, max: 1e-2, log: true },
      },
    },
    optimizer: { kind: "random", seed: 3 },
    evaluator: KINDS[kind],
    objectives: [{ metric: "accuracy", direction: "maximize" }],
    budget: { trials: TRIALS },
  };
  const file = `${folder}/${kind}.json`;
  await Deno.writeTextFile(file, JSON.stringify(spec));
  const data = ["--data", `${folder}/data`];
  const { code, notes } = await cli("run", file, ...data);
  equal(code, 0, notes);
  const listed = await cliJson("trials", "last", ...data);
  ok(Array.isArray(listed));
  return listed.toSorted((a, b) => a.trial - b.trial).map(({ candidate, metrics }) => ({
    candidate,
    accuracy: Number(metrics.accuracy),
  }));
}

async function unzipped(path: string): Promise<string> {
  const { readable } = await Deno.open(path);
  return await new Response(readable.pipeThrough(new DecompressionStream("gzip"))).text();
}
