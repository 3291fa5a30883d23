import { deepEqual, equal, ok } from "node:assert/strict";
import { groupId, taskId } from "../../../shared/model/ids.ts";
import {
  AttemptFolders,
  FAILED_FOLDER_KEPT_MS,
  FOLDER_KEPT_MS,
  FOLDERS_KEPT_MAX,
} from "../../../worker/executors/attempt_folders.ts";
import { attemptOf } from "../../conformance/executor_attempts.ts";

const { lease: { epoch } } = attemptOf({
  evaluator: { kind: "builtin", name: "noop" },
  input: { candidate: {} },
});

interface Stage {
  readonly folders: AttemptFolders;
  readonly names: () => string[];
  make(number: number): string;
  /** Makes a folder that ended at a time, in milliseconds since 1970. */
  end(number: number, state: "completed" | "failed" | "stopped", endedMs: number): Promise<void>;
}

function withFolders(name: string, body: (stage: Stage) => Promise<void>): void {
  Deno.test(name, async () => {
    const data = await Deno.makeTempDir();
    const folders = new AttemptFolders(data);
    const make = (number: number) => folders.make({ task: taskId(groupId("t"), number), attempt: 1, epoch });
    try {
      await body({
        folders,
        make,
        names: () => Array.from(Deno.readDirSync(`${data}/attempts`), ({ name }) => name).toSorted(),
        async end(number, state, endedMs) {
          const path = make(number);
          await folders.ended(path, { state });
          await folders.settled();
          await Deno.utime(path, endedMs / 1_000, endedMs / 1_000);
        },
      });
    } finally {
      await Deno.remove(data, { recursive: true });
    }
  });
}

const NOW = Date.now();

withFolders("completed and stopped attempts' folders go by age, failed ones later", async (stage) => {
  const old = NOW - FOLDER_KEPT_MS - 60_000;
  await stage.end(1, "completed", old);
  await stage.end(2, "stopped", old);
  await stage.end(3, "failed", old);
  await stage.end(4, "completed", NOW);
  await stage.folders.sweep(NOW);
  deepEqual(stage.names(), ["t_3_1", "t_4_1"]);
  await stage.folders.sweep(old + FAILED_FOLDER_KEPT_MS + 1_000);
  deepEqual(stage.names(), []);
});

withFolders("the folder of a running attempt is never removed", async (stage) => {
  stage.make(1);
  await stage.folders.sweep(NOW + 2 * FAILED_FOLDER_KEPT_MS);
  deepEqual(stage.names(), ["t_1_1"]);
});

withFolders("what a killed worker left is kept as long as what failed", async (stage) => {
  const path = stage.make(1);
  const old = (NOW - FOLDER_KEPT_MS - 60_000) / 1_000;
  await Deno.utime(path, old, old);
  const next = new AttemptFolders(path.slice(0, path.indexOf("/attempts/")));
  await next.sweep(NOW);
  deepEqual(stage.names(), ["t_1_1"]);
  await next.sweep(NOW + FAILED_FOLDER_KEPT_MS);
  deepEqual(stage.names(), []);
});

withFolders("of too many folders the oldest go, without being asked", async (stage) => {
  const many = FOLDERS_KEPT_MAX + 120;
  for (let number = 1; number <= many; number += 1) {
    await stage.end(number, "completed", NOW - (many - number) * 1_000);
  }
  ok(stage.names().length < many, "nothing was removed by itself");
  await stage.folders.sweep(NOW);
  const left = stage.names();
  equal(left.length, FOLDERS_KEPT_MAX);
  ok(left.includes(`t_${many}_1`) && !left.includes("t_1_1"));
});
