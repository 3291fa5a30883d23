/**
 * A process that holds a store and commits batches until it is told to stop: what the tests of kills, locks and full
 * disks look at from outside.
 *
 * Says one JSON value a line: `{"opened":epoch}`, `{"durable":batches}` after each commit, `{"fault":message}`.
 * Arguments: the folder, the number of batches (0: hold the store, commit nothing), the tasks in each.
 *
 * @module
 */
import type { StoreChange } from "../../master/store/store.ts";
import { SqliteStore } from "../../master/store/sqlite/sqlite_store.ts";
import { groupId } from "../../shared/model/ids.ts";
import { type Asked, asked } from "../conformance/store_bench.ts";

/** Bytes of each task's payload. */
const PAYLOAD_BYTES = 300;
/** How long to wait after a fault. */
const RETRY_MS = 20;
const GROUP = groupId("t1");

const [folder = "", batches = "0", tasks = "1"] = Deno.args;
const store = asked(new SqliteStore({ folder }));
const { epoch, groups } = await store.open();
say({ opened: epoch });
if (Number(batches) > 0) await fill(store);
else await Deno.stdin.read(new Uint8Array(1));
await store.close();
say({ closed: true });

async function fill(to: Asked): Promise<void> {
  let last = groups[0]?.lastNumber ?? 0;
  if (groups.length === 0) {
    await insist(to, [{ type: "group_added", group: GROUP, template: new Uint8Array() }]);
  }
  for (let batch = 1; batch <= Number(batches); batch++) {
    const payloads = Array.from({ length: Number(tasks) }, () => new Uint8Array(PAYLOAD_BYTES));
    await insist(to, [{ type: "tasks_submitted", group: GROUP, first: last + 1, payloads, atMs: 0 }]);
    last += payloads.length;
    say({ durable: last });
  }
}

/** Applies the same batch until it is durable. */
async function insist(to: Asked, changes: readonly StoreChange[]): Promise<void> {
  for (;;) {
    try {
      await to.commit(epoch, changes);
      return;
    } catch (error) {
      say({ fault: error instanceof Error ? error.message : String(error) });
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

function say(value: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
}
