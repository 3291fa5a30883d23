/**
 * Python evaluators on a disk that is full.
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { pythonExecutor } from "../../worker/executors/python/python.ts";
import { attemptOf, observe, run } from "../conformance/executor_attempts.ts";
import { testPython } from "../unit/worker/executors_python_rig.ts";
import { mountSmallDisk } from "./fleet/small_disk.ts";

const SOURCE = `import os, time
def evaluate(candidate, context):
    context.report(1, a=1)
    while candidate["waits"] and not os.path.exists(os.path.join(context.folder, "go")): time.sleep(0.02)
    print("x" * 300_000)
    return {"a": 2}
`;

testPython(
  "a disk that becomes full ends no Python evaluator, and is told; nor does one that is full",
  async () => {
    const root = await Deno.makeTempDir();
    const folder = `${root}/data`, path = `${root}/evaluate.py`;
    await Deno.mkdir(folder);
    await Deno.writeTextFile(path, SOURCE);
    const disk = await mountSmallDisk(folder, "1m");
    if (disk === undefined) return await Deno.remove(root, { recursive: true });
    const warnings: string[] = [];
    const executor = pythonExecutor({ folder, warns: (message) => warnings.push(message) });
    const sample = { evaluator: { kind: "python", path } as const, input: { candidate: { waits: true } } };
    try {
      const observed = observe(executor, attemptOf(sample));
      await observed.reported;
      // An empty file takes no room.
      await disk.fill();
      await Deno.writeTextFile(`${folder}/attempts/test_1_1/go`, "");
      deepEqual(await observed.ended, { state: "completed", metrics: { a: 2 } });
      equal(warnings.length, 1);
      match(warnings.join(), /its output is kept no further: .*[Nn]o space/);
      // What needs no room of its own needs none for its prints.
      const end = await run(executor, { ...sample, input: { candidate: { waits: false } } });
      deepEqual(end, { state: "completed", metrics: { a: 2 } });
      equal(warnings.length, 2);
      await disk.makeRoom();
    } finally {
      await executor.close();
      await disk.unmount();
      await Deno.remove(root, { recursive: true });
    }
  },
);
