/**
 * What modules keep: prints, checkpoints, files; and what they may do beyond reading their own folder.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { encode } from "@msgpack/msgpack";
import { epochOf, groupId, taskId } from "../../shared/model/ids.ts";
import type { ModulePermissions } from "../../shared/model/task.ts";
import type { Attempt, Executor, ExecutorEvent } from "../../worker/executors/executor.ts";
import { moduleExecutor, type ModuleOptions } from "../../worker/executors/module/module.ts";

const EPOCH = epochOf("0".repeat(32), 1, "00000000");

interface Rig {
  readonly folder: string;
  readonly executor: Executor;
  /** Runs `source` once. */
  run(source: string, given?: Partial<Attempt>, permissions?: ModulePermissions): Promise<ExecutorEvent[]>;
}

function test(sentence: string, body: (rig: Rig) => Promise<void>, options: ModuleOptions = {}): void {
  Deno.test(sentence, { timeout: 30_000 }, async () => {
    const folder = await Deno.makeTempDir();
    const executor = moduleExecutor({ ...options, folder: `${folder}/data` });
    let number = 0;
    const run: Rig["run"] = async (source, given = {}, permissions) => {
      number += 1;
      const path = `${folder}/evaluate_${number}.ts`;
      await Deno.writeTextFile(path, source);
      const attempt: Attempt = {
        lease: { epoch: EPOCH, task: taskId(groupId("g"), number), attempt: 1 },
        evaluator: { kind: "module", path, ...(permissions === undefined ? {} : { permissions }) },
        payload: encode({ candidate: {} }),
        slot: 0,
        ...given,
      };
      const events: ExecutorEvent[] = [];
      await new Promise<void>((resolve) => {
        executor.start(attempt, (event) => {
          events.push(event);
          if (event.type === "ended") resolve();
        });
      });
      return events;
    };
    try {
      await body({ folder, executor, run });
    } finally {
      await executor.close();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

function endOf(events: readonly ExecutorEvent[]) {
  const last = events.at(-1);
  return last?.type === "ended" ? last.end : undefined;
}

function printedTo(stream: string, events: readonly ExecutorEvent[]): string {
  const pieces = events.flatMap((event) =>
    event.type === "output" && event.stream === stream ? [event.data] : []
  );
  return new TextDecoder().decode(Uint8Array.from(pieces.flatMap((piece) => [...piece])));
}

/** How many files lie below a folder. */
function filesBelow(folder: string): number {
  let count = 0;
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    count += isDirectory ? filesBelow(`${folder}/${name}`) : 1;
  }
  return count;
}

test("what an attempt prints is told by stream, whole, before its end, and to no other attempt", async ({ run }) => {
  const source = (word: string) =>
    `export function evaluate() { console.log("out ${word}"); console.error("err ${word}"); return { ok: 1 }; }`;
  for (const word of ["first", "second"]) {
    const events = await run(source(word));
    deepEqual(endOf(events), { state: "completed", metrics: { ok: 1 } });
    equal(printedTo("stdout", events).trim(), `out ${word}`);
    equal(printedTo("stderr", events), `err ${word}\n`);
  }
});

test("a line is told while its evaluator still runs", async ({ folder, executor }) => {
  const path = `${folder}/prints.ts`;
  await Deno.writeTextFile(
    path,
    `export async function evaluate(_, { signal }) {
      console.log("epoch 1");
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return { ok: 1 };
    }`,
  );
  const lease = { epoch: EPOCH, task: taskId(groupId("g"), 1), attempt: 1 };
  const ended = Promise.withResolvers<void>();
  const attempt: Attempt = {
    lease,
    evaluator: { kind: "module", path },
    payload: encode({ candidate: {} }),
    slot: 0,
  };
  let printed = "";
  const running = executor.start(attempt, (event) => {
    if (event.type === "output") printed += new TextDecoder().decode(event.data);
    if (printed.includes("epoch 1")) running.stop(20_000);
    if (event.type === "ended") ended.resolve();
  });
  await ended.promise;
  equal(printed.trim(), "epoch 1");
});

test("checkpoints and files come as whole files of the listener's", async ({ run, folder }) => {
  const events = await run(`export function evaluate(_, context) {
    context.report(3, { loss: 1 });
    context.checkpoint(3, new Uint8Array([1, 2, 3]));
    context.artifact("plots/loss.txt", "falls");
    return { ok: 1 };
  }`);
  deepEqual(events.map(({ type }) => type), ["report", "checkpoint", "file", "ended"]);
  const [, checkpoint, file] = events;
  ok(checkpoint?.type === "checkpoint" && file?.type === "file");
  equal(checkpoint.step, 3);
  deepEqual([...Deno.readFileSync(checkpoint.path)], [1, 2, 3]);
  equal(file.name, "plots/loss.txt");
  equal(Deno.readTextFileSync(file.path), "falls");
  for (const { path } of [checkpoint, file]) Deno.removeSync(path);
  equal(filesBelow(`${folder}/data/run/modules`), 0);
});

test("what was restored is read as it was saved, a file or a folder", async ({ run, folder }) => {
  const source = `export function evaluate(_, { restored }) {
    if (restored === undefined) return { step: -1 };
    const name = Deno.statSync(restored.path).isDirectory ? "/inner/weights" : "";
    return { step: restored.step, first: Deno.readFileSync(restored.path + name)[0] };
  }`;
  await Deno.mkdir(`${folder}/saved/inner`, { recursive: true });
  await Deno.writeFile(`${folder}/saved/inner/weights`, Uint8Array.of(7));
  for (const path of [`${folder}/saved`, `${folder}/saved/inner/weights`]) {
    const events = await run(source, { restored: { path, step: 4 } });
    deepEqual(endOf(events), { state: "completed", metrics: { step: 4, first: 7 } });
  }
  deepEqual(endOf(await run(source)), { state: "completed", metrics: { step: -1 } });
  equal(filesBelow(`${folder}/data/run/modules`), 0);
});

test("files in an attempt's folder are collected before its end, and gone after it", async ({ run, folder }) => {
  const collected: string[] = [];
  const collect = (path: string) => {
    collected.push(...Array.from(Deno.readDirSync(path), ({ name }) => name));
    return Promise.resolve();
  };
  const source = `export function evaluate(_, context) {
    Deno.writeTextFileSync(context.folder + "/notes.txt", "kept");
    if (context.trial === 2) throw new Error("late");
    return { ok: 1 };
  }`;
  deepEqual(endOf(await run(source, { collect })), { state: "completed", metrics: { ok: 1 } });
  equal(endOf(await run(source, { collect }))?.state, "failed");
  deepEqual(collected, ["notes.txt", "notes.txt"]);
  equal(filesBelow(`${folder}/data/run/modules`), 0);
});

test("what cannot be kept is a mistake that is told where it was made", async ({ run }) => {
  const mistakes: [string, RegExp][] = [
    ["context.checkpoint(-1, 'x')", /checkpoint needs a step, a whole number from 0, and was given -1/],
    [
      "context.checkpoint(1, { weights: 1 })",
      /checkpoint needs bytes \(a Uint8Array\) or text, and was given a Object/,
    ],
    ["context.artifact('../out', 'x')", /artifact needs a name, a relative path that stays in its folder/],
  ];
  for (const [call, message] of mistakes) {
    const end = endOf(await run(`export function evaluate(_, context) { ${call}; return { ok: 1 }; }`));
    ok(end?.state === "failed", JSON.stringify(end));
    match(end.message, message);
  }
});

const READS = `export function evaluate() {
  return { bytes: Deno.readTextFileSync(Deno.env.get("WHERE") ?? "/nowhere").length };
}`;

test("a permission that the worker does not allow is refused with both ways out", async ({ run }) => {
  const end = endOf(await run(READS, {}, { net: ["example.org"] }));
  ok(end?.state === "failed" && !end.final, JSON.stringify(end));
  match(
    end.message,
    /asks for net of example\.org, which this worker does not allow: leave it out .* --allow-modules net=example\.org/,
  );
});

Deno.test("a permission that was asked for and is allowed is granted, and only that", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/data.txt`, "12345");
  await Deno.mkdir(`${folder}/code`);
  await Deno.writeTextFile(
    `${folder}/code/evaluate.ts`,
    `export function evaluate() {
      let other = 0;
      try { Deno.readTextFileSync("/etc/hostname"); other = 1; } catch { /* refused */ }
      return { bytes: Deno.readTextFileSync(${JSON.stringify(`${folder}/data.txt`)}).length, other };
    }`,
  );
  const executor = moduleExecutor({ allowed: { read: [folder] } });
  const end = await new Promise((resolve) => {
    executor.start({
      lease: { epoch: EPOCH, task: taskId(groupId("g"), 1), attempt: 1 },
      evaluator: {
        kind: "module",
        path: `${folder}/code/evaluate.ts`,
        permissions: { read: ["../data.txt"] },
      },
      payload: encode({ candidate: {} }),
      slot: 0,
    }, (event) => event.type === "ended" && resolve(event.end));
  });
  await executor.close();
  await Deno.remove(folder, { recursive: true });
  deepEqual(end, { state: "completed", metrics: { bytes: 5, other: 0 } });
});
