/**
 * Commands on a disk that is full.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { commandExecutor } from "../../worker/executors/command/command.ts";
import { attemptOf, observe, run } from "../conformance/executor_attempts.ts";
import { failureOf } from "../unit/worker/executors_command_rig.ts";
import { mountSmallDisk } from "./fleet/small_disk.ts";

Deno.test("a disk that becomes full ends no program, and is told; one that is full lets none begin", {
  timeout: 60_000,
}, async () => {
  const folder = await Deno.makeTempDir();
  const disk = await mountSmallDisk(folder, "1m");
  if (disk === undefined) return await Deno.remove(folder, { recursive: true });
  const warnings: string[] = [];
  const executor = commandExecutor({ folder, warns: (message) => warnings.push(message) });
  const script =
    `head -c 300000 /dev/zero > "$ESPALIER_CHECKPOINT/model"; echo '[tune-metric]: {{"a": 1}}'; while [ ! -e go ]; do sleep 0.02; done
    echo '[tune-checkpoint]: {{"path": "model"}}'; head -c 300000 /dev/zero; echo; echo '[tune-metric]: {{"a": 2}}'`;
  const sample = {
    evaluator: { kind: "command", command: ["sh", "-c", script] } as const,
    input: { candidate: {} },
  };
  try {
    const observed = observe(executor, attemptOf(sample));
    await observed.reported;
    // An empty file takes no room.
    await disk.fill();
    await Deno.writeTextFile(`${folder}/attempts/test_1_1/go`, "");
    deepEqual(await observed.ended, { state: "completed", metrics: { a: 2 } });
    deepEqual(observed.events.filter(({ type }) => type === "checkpoint"), []);
    equal(warnings.length, 2);
    match(warnings.join("\n"), /its output is kept no further: .*[Nn]o space/);
    match(warnings.join("\n"), /the checkpoint of step 1, model was dropped: .*[Nn]o space/);
    const { message, final } = failureOf(await run(executor, sample));
    match(message, /this worker cannot start the command: .*[Nn]o space/);
    ok(!final);
    await disk.makeRoom();
    await executor.close();
  } finally {
    await executor.close();
    await disk.unmount();
    await Deno.remove(folder, { recursive: true });
  }
});
