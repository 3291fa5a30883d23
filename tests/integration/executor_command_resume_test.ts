/**
 * A command that saves what it has done, and whose worker dies: another goes on from there.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { cliJson, CliProcess, inFolder } from "./cli_process.ts";

const STEPS = 10;

/** Adds up its steps; waits before its eighth where nobody has written the file before. */
const SCRIPT = `#!/bin/sh
cd "$ESPALIER_CHECKPOINT"
step=\${ESPALIER_RESTORED_STEP:-0} sum=0
if [ $step -gt 0 ]; then sum=$(cat "sum-$step"); fi
began=$step
while [ $step -lt ${STEPS} ]; do
  if [ $step = 7 ] && [ ! -e "$ONCE" ]; then : > "$ONCE"; exec sleep 3600; fi
  step=$((step + 1)) sum=$((sum + step))
  echo "[tune-metric]: {\\"sum\\": $sum, \\"step\\": $step}"
  echo $sum > "sum-$step"
  echo "[tune-checkpoint]: {\\"path\\": \\"sum-$step\\"}"
done
echo "{\\"sum\\": $sum, \\"began\\": $began}" > "$ESPALIER_DIR/result.json"
`;

Deno.test(
  "a command whose worker is killed at step 7 of 10 goes on from its checkpoint on another worker",
  { timeout: 60_000 },
  () =>
    inFolder(async (folder) => {
      const code = `${folder}/code`;
      await Deno.mkdir(code);
      await Deno.writeTextFile(`${code}/sum.sh`, SCRIPT, { mode: 0o755 });
      await Deno.writeTextFile(
        `${code}/sum.yaml`,
        `name: sum
space: { kind: parameters, parameters: { x: { type: real, min: 0, max: 1 } } }
optimizer: { kind: random, seed: 1 }
evaluator: { kind: command, command: ./sum.sh, env: ["ONCE=${folder}/once"] }
objectives: [{ metric: sum, direction: maximize }]
budget: { trials: 1 }
`,
      );
      const master = new CliProcess(["master", "--data", `${folder}/data`, "--port", "0"]);
      const [, url = ""] = await master.line(/^master +(http:\/\/127\.0\.0\.1:\d+)$/m);
      const named = ["--master", url, "--token-file", `${folder}/data/tokens.json`];
      const worker = (name: string) =>
        new CliProcess(["worker", ...named, "--data", `${folder}/${name}`, "--slots", "1"]);
      const first = worker("first");
      const search = new CliProcess(["run", `${code}/sum.yaml`, ...named, "--output", "json"]);
      while (await lastCheckpoint(named) !== 7) await new Promise((resolve) => setTimeout(resolve, 50));
      first.signal("SIGKILL");
      await first.finished();
      const second = worker("second");
      const { code: exit, out, notes } = await search.finished();
      equal(exit, 0, notes);
      const { best, attempts } = JSON.parse(out);
      deepEqual([attempts, best.metrics], [2, { sum: STEPS * (STEPS + 1) / 2, began: 7 }]);
      await second.stop();
      await master.stop();
    }),
);

/** The highest step that the master has; 0 where it has none yet, or knows of no trial. */
async function lastCheckpoint(named: readonly string[]): Promise<number> {
  const kept = JSON.stringify(await cliJson("artifacts", "sum-1/1", ...named).catch(() => ""));
  return Math.max(0, ...[...kept.matchAll(/"step":(\d+)/g)].map(([, step]) => Number(step)));
}
