import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { epochOf, groupId, taskId } from "../../../shared/model/ids.ts";
import { leaseKey } from "../../../shared/model/task.ts";
import type { Result } from "../../../shared/protocol/worker_envelopes.ts";
import { type JournalOptions, openJournal, type ResultJournal } from "../../../worker/journal.ts";
import { encodeEntry, type JournalEntry, readEntries } from "../../../worker/journal_entry.ts";

const EPOCH = epochOf("a".repeat(32), 3, "0123abcd");

function resultOf(number: number, message?: string): Result {
  return {
    type: "result",
    epoch: EPOCH,
    task: taskId(groupId("experiment"), number),
    attempt: 1,
    end: message === undefined
      ? { state: "completed", metrics: { accuracy: number / 10 } }
      : { state: "failed", cause: "evaluator", message, stack: undefined, final: false },
    elapsedMs: 1_500,
  };
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Opens a journal, uses it, closes it. */
async function withJournal<Value>(
  folder: string,
  body: (journal: ResultJournal, troubles: readonly string[]) => Promise<Value>,
  options: JournalOptions = {},
): Promise<Value> {
  const troubles: string[] = [];
  const journal = await openJournal(folder, { trouble: (message) => troubles.push(message), ...options });
  try {
    return await body(journal, troubles);
  } finally {
    await journal.close();
  }
}

/** What a worker that starts over this folder would find. */
function found(folder: string): Promise<readonly string[]> {
  return withJournal(
    folder,
    (journal) => Promise.resolve(journal.waiting().map(({ result }) => leaseKey(result))),
  );
}

const fileIn = (folder: string) => `${folder}/results.journal`;

Deno.test("reports of checkpoints and files are there in the next life as they were", () =>
  inFolder(async (folder) => {
    const result = resultOf(1);
    const { epoch, task, attempt } = result;
    const head = { type: "report", epoch, task, attempt, step: 7, metrics: {} } as const;
    const artifact = { sha256: "a".repeat(64), bytes: 5 };
    const reports = [
      { ...head, number: 1, checkpoint: artifact },
      { ...head, number: 2, file: { name: "plots/loss.png", ...artifact } },
    ];
    await withJournal(folder, (journal) => journal.append(result, reports));
    const waiting = await withJournal(folder, (journal) => Promise.resolve(journal.waiting()));
    deepEqual(waiting.map((each) => each.reports), [reports]);
  }));

Deno.test("what was appended and not settled is there in the next life", () =>
  inFolder(async (folder) => {
    const failed = resultOf(3, "did not work");
    await withJournal(folder, async (journal) => {
      await Promise.all([journal.append(resultOf(1)), journal.append(resultOf(2)), journal.append(failed)]);
      journal.settle(resultOf(2));
    });
    await withJournal(folder, (journal) => {
      deepEqual(journal.waiting().map(({ result }) => leaseKey(result)), [
        leaseKey(resultOf(1)),
        leaseKey(failed),
      ]);
      deepEqual(journal.waiting()[0], { result: resultOf(1), reports: [] });
      return Promise.resolve();
    });
  }));

Deno.test("a result is on the disk when its append is answered", () =>
  inFolder(async (folder) => {
    await withJournal(folder, async (journal) => {
      await journal.append(resultOf(1));
      const { entries } = readEntries(await Deno.readFile(fileIn(folder)));
      deepEqual(entries.map((entry) => entry.type === "result" && entry.result), [resultOf(1)]);
    });
  }));

Deno.test("the file is empty when all is settled", () =>
  inFolder(async (folder) => {
    await withJournal(folder, async (journal) => {
      for (let number = 1; number <= 20; number += 1) await journal.append(resultOf(number));
      for (let number = 1; number <= 20; number += 1) journal.settle(resultOf(number));
      journal.settle(resultOf(99));
    });
    equal((await Deno.stat(fileIn(folder))).size, 0);
    deepEqual(await found(folder), []);
  }));

Deno.test("a file over its limit is written anew with what is not settled", () =>
  inFolder(async (folder) => {
    const fileMaxBytes = 4_000;
    await withJournal(folder, async (journal) => {
      await journal.append(resultOf(1_000));
      for (let number = 1; number <= 200; number += 1) {
        await journal.append(resultOf(number));
        journal.settle(resultOf(number));
      }
    }, { fileMaxBytes });
    const { size } = await Deno.stat(fileIn(folder));
    ok(size <= fileMaxBytes, `${size}`);
    deepEqual(await found(folder), [leaseKey(resultOf(1_000))]);
  }));

Deno.test("wherever a crash tore the file, the results before are kept, and appending goes on", async () => {
  const entries: JournalEntry[] = [1, 2, 3].map((number) => ({ type: "result", result: resultOf(number) }));
  const whole = Uint8Array.from(entries.flatMap((entry) => [...encodeEntry(entry)]));
  const length = encodeEntry({ type: "result", result: resultOf(1) }).length;
  for (const cut of [1, length - 1, length, length + 4, length + 8, 2 * length + 20, whole.length - 1]) {
    await inFolder(async (folder) => {
      await Deno.writeFile(fileIn(folder), whole.subarray(0, cut));
      const kept = Array.from(
        { length: Math.floor(cut / length) },
        (_, index) => leaseKey(resultOf(index + 1)),
      );
      await withJournal(folder, async (journal, troubles) => {
        deepEqual(journal.waiting().map(({ result }) => leaseKey(result)), kept);
        equal(troubles.length, cut % length === 0 ? 0 : 1);
        await journal.append(resultOf(9));
      });
      deepEqual(await found(folder), [...kept, leaseKey(resultOf(9))]);
    });
  }
});

Deno.test("garbage in the middle costs the entry that it hit: those behind it are kept, over further lives too", async () => {
  const entries: JournalEntry[] = [1, 2, 3].map((number) => ({ type: "result", result: resultOf(number) }));
  const parts = entries.map(encodeEntry);
  const [first, second] = [parts[0]?.length ?? 0, parts[1]?.length ?? 0];
  const whole = Uint8Array.from(parts.flatMap((part) => [...part]));
  const damages: ((bytes: Uint8Array) => Uint8Array)[] = [
    (bytes) => bytes.fill(0, first, first + second),
    (bytes) => bytes.fill(0xff, first, first + 4),
    (bytes) => bytes.fill(7, first + 20, first + 30),
    (bytes) => Uint8Array.from([...bytes.subarray(0, first), 1, 2, 3, ...bytes.subarray(first + second)]),
  ];
  for (const damage of damages) {
    await inFolder(async (folder) => {
      await Deno.writeFile(fileIn(folder), damage(whole.slice()));
      const kept = [leaseKey(resultOf(1)), leaseKey(resultOf(3))];
      await withJournal(folder, async (journal, troubles) => {
        deepEqual(journal.waiting().map(({ result }) => leaseKey(result)), kept);
        match(
          troubles.join(),
          /damaged from byte \d+ on: a result may be lost; 1 entries behind it were kept/,
        );
        await journal.append(resultOf(9));
      });
      await withJournal(folder, (journal, troubles) => {
        deepEqual(journal.waiting().map(({ result }) => leaseKey(result)), [...kept, leaseKey(resultOf(9))]);
        deepEqual(troubles, []);
        return Promise.resolve();
      });
    });
  }
});

Deno.test("a result keeps the reports before it", () =>
  inFolder(async (folder) => {
    const { epoch, task, attempt } = resultOf(1);
    const report = {
      type: "report",
      epoch,
      task,
      attempt,
      number: 3,
      step: 30,
      metrics: { loss: 0.5 },
    } as const;
    await withJournal(folder, (journal) => journal.append(resultOf(1), [report]));
    await withJournal(folder, (journal) => {
      deepEqual(journal.waiting(), [{ result: resultOf(1), reports: [report] }]);
      return Promise.resolve();
    });
  }));

Deno.test("no bytes make the reader fail, and none but whole entries pass", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const { entries, later } = readEntries(bytes);
    deepEqual([entries, later], [[], 0]);
  }));
  const entry = encodeEntry({ type: "settled", key: "a" });
  fc.assert(fc.property(fc.nat(entry.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
    const damaged = entry.slice();
    damaged[at] = (damaged[at] ?? 0) ^ flip;
    deepEqual(readEntries(damaged), { entries: [], bytes: 0, later: 0 });
  }));
  deepEqual(readEntries(new Uint8Array(4_096)), { entries: [], bytes: 0, later: 0 });
});

Deno.test("a result that the master does not know is set aside, and said so", () =>
  inFolder(async (folder) => {
    await withJournal(folder, async (journal, troubles) => {
      await journal.append(resultOf(7));
      const path = await journal.setAside(resultOf(7), "the master's store is another one") ?? "";
      const { reason, task, end } = JSON.parse(await Deno.readTextFile(path));
      equal(reason, "the master's store is another one");
      equal(task, "experiment/7");
      deepEqual(end, { state: "completed", metrics: { accuracy: 0.7 } });
      match(
        troubles[0] ?? "",
        /the result of experiment\/7, attempt 1, was set aside in .*set-aside\/experiment_7\.1\./,
      );
    });
    deepEqual(await found(folder), []);
  }));

Deno.test("a result that cannot be set aside stays in the journal", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/set-aside`, "not a folder");
    await withJournal(folder, async (journal, troubles) => {
      await journal.append(resultOf(7));
      equal(await journal.setAside(resultOf(7), "why not"), undefined);
      match(troubles[0] ?? "", /the result of experiment\/7 cannot be set aside/);
    });
    deepEqual(await found(folder), [leaseKey(resultOf(7))]);
  }));

Deno.test("a closed journal takes nothing and says nothing", () =>
  inFolder(async (folder) => {
    const journal = await openJournal(folder);
    await journal.close();
    await journal.close();
    await journal.append(resultOf(1));
    journal.settle(resultOf(1));
    deepEqual(await found(folder), []);
  }));

Deno.test("a journal whose file was deleted meanwhile is made anew with all that is not settled", () =>
  inFolder(async (folder) => {
    await withJournal(folder, async (journal) => {
      await journal.append(resultOf(1));
      await Deno.remove(fileIn(folder));
      await journal.append(resultOf(2));
      await journal.append(resultOf(3));
      journal.settle(resultOf(3));
    });
    deepEqual(await found(folder), [leaseKey(resultOf(1)), leaseKey(resultOf(2))]);
  }));

Deno.test("a journal whose folder was deleted meanwhile says so, once, and the worker goes on", () =>
  inFolder(async (parent) => {
    const folder = `${parent}/worker`;
    await withJournal(folder, async (journal, troubles) => {
      await journal.append(resultOf(1));
      await Deno.remove(folder, { recursive: true });
      await journal.append(resultOf(2));
      await journal.append(resultOf(3));
      equal(troubles.length, 1);
      match(troubles[0] ?? "", /not safe from a crash/);
      deepEqual(journal.waiting().length, 3);
    });
  }));
