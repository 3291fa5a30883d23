import { deepEqual } from "node:assert/strict";
import { MemoryDisk } from "../../../master/store/memory_disk.ts";
import { MemoryStore } from "../../../master/store/memory_store.ts";
import { tellingCheckpoints } from "../../../master/store/named_checkpoints.ts";
import { taskId } from "../../../shared/model/ids.ts";
import { seededRandom } from "../../../shared/actor/random.ts";
import { asked } from "../../conformance/store_bench.ts";
import { checkpointReport, GROUP, group, submission } from "../../conformance/store_samples.ts";

Deno.test("a checkpoint is told of once the store names it, and not where its report is to come again", async () => {
  const memory = new MemoryStore({
    disk: new MemoryDisk(),
    random: seededRandom("memory"),
    schedule: (_delayMs, call) => queueMicrotask(call),
    wallClock: () => 1_700_000_100_000,
  });
  const told: string[] = [];
  const store = asked(tellingCheckpoints(memory, (sha256) => told.push(sha256.slice(0, 1))));
  const { epoch } = await store.open();
  const lease = { epoch, task: taskId(GROUP, 1), attempt: 1 };
  const hash = (digit: string) => ({ sha256: digit.repeat(64), bytes: 7 });
  const { verdicts } = await store.commit(epoch, [
    group(),
    submission(1, 1),
    checkpointReport(lease, 1, 5, 2, hash("a")),
    checkpointReport(lease, 3, 7, 2, hash("c")),
  ]);
  deepEqual(verdicts.at(-1)?.type, "gap");
  deepEqual(told, ["a"]);
  await store.close();
});
