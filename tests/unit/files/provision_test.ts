import assert from "node:assert/strict";
import type { ArtifactRef } from "../../../shared/model/artifact.ts";
import type { Evaluator } from "../../../shared/model/task.ts";
import { commandExecutor } from "../../../worker/executors/command/command.ts";
import type { Attempt } from "../../../worker/executors/executor.ts";
import { moduleExecutor } from "../../../worker/executors/module/module.ts";
import { pythonExecutor } from "../../../worker/executors/python/python.ts";
import { packSaved } from "../../../worker/files/saved.ts";
import { observe } from "../../conformance/executor_attempts.ts";
import { attemptAt, COMMAND, type Rig, ToldExecutor, withProvision } from "./provision_rig.ts";
import { namesIn, putTree, writeTree } from "./rig.ts";

const CODE = {
  "evaluate.ts": `import { two } from "./lib/two.ts";
const text = await Deno.readTextFile(new URL("./data/three.txt", import.meta.url));
export const evaluate = () => ({ sum: two + Number(text) });`,
  "nested/evaluate.ts": `import { two } from "../lib/two.ts"; export const evaluate = () => ({ sum: two });`,
  "lib/two.ts": "export const two = 2;",
  "data/three.txt": "3",
  "two.py": "VALUE = 2\n",
  "evaluate.py": `import pathlib, two
pathlib.Path("written.txt").write_text("x")
def evaluate(candidate, context):
    return {"sum": two.VALUE + float(pathlib.Path("data/three.txt").read_text())}
`,
  "train.sh": `#!/bin/sh
test ! -e written.txt || exit 9
echo x > written.txt; echo changed > data/three.txt
echo '{"sum": 5}' > "$ESPALIER_DIR/result.json"
`,
};

for (
  const [evaluator, make] of [
    [{ kind: "module", path: "evaluate.ts" }, () => moduleExecutor({ heapMiB: 256 })],
    [{ kind: "python", path: "evaluate.py" }, (folder: string) => pythonExecutor({ folder })],
    [{ kind: "command", command: ["./train.sh"] }, (folder: string) => commandExecutor({ folder })],
  ] as const
) {
  withProvision(`a ${evaluator.kind} finds its packed code, and leaves the cache as it came`, async (rig) => {
    const code = await putTree(rig.folder, rig.transfer, CODE);
    const executor = rig.provided(make(`${rig.folder}/data`));
    for (const number of [1, 2]) {
      const { ended } = observe(executor, attemptAt(evaluator, { code }, number));
      assert.deepEqual(await ended, { state: "completed", metrics: { sum: 5 } });
    }
    assert.deepEqual(rig.transfer.asked, [`get ${code.sha256}`]);
    const tree = `${rig.folder}/data/code/${code.sha256}/tree`;
    assert.deepEqual((await namesIn(tree)).filter((name) => /written|cache/.test(name)), []);
    assert.equal(await Deno.readTextFile(`${tree}/data/three.txt`), "3");
  });
}

withProvision("a module in a folder of its code may read all of the code", async (rig) => {
  const code = await putTree(rig.folder, rig.transfer, CODE);
  const executor = rig.provided(moduleExecutor({ heapMiB: 256 }));
  const { ended } = observe(executor, attemptAt({ kind: "module", path: "nested/evaluate.ts" }, { code }));
  assert.deepEqual(await ended, { state: "completed", metrics: { sum: 2 } });
});

withProvision("a command's folder is one of its code", async (rig) => {
  const code = await putTree(rig.folder, rig.transfer, CODE);
  const executor = rig.provided(commandExecutor({ folder: `${rig.folder}/data` }));
  const command = ["sh", "-c", 'test "$(cat three.txt)" = 3'];
  const evaluator = { kind: "command", command, folder: "data", result: "exit_code" } as const;
  assert.equal((await observe(executor, attemptAt(evaluator, { code })).ended).state, "completed");
});

withProvision(
  "failures of one code have one message, with paths as they are in the user's folder",
  async (rig) => {
    const code = await putTree(rig.folder, rig.transfer, CODE);
    const messages = new Map([
      ["command", /exit code 1: cat: [^/]*lib\/none/],
      ["python", /there is no file lib\/none\.py on this machine/],
      ["module", /there is no module lib\/none\.ts on this machine/],
    ]);
    const evaluators: readonly Evaluator[] = [
      { kind: "command", command: ["sh", "-c", 'cat "$PWD/lib/none"'] },
      { kind: "python", path: "lib/none.py" },
      { kind: "module", path: "lib/none.ts" },
    ];
    const folder = `${rig.folder}/data`;
    const executors = [commandExecutor({ folder }), pythonExecutor({ folder }), moduleExecutor()].map(
      rig.provided,
    );
    for (const [index, evaluator] of evaluators.entries()) {
      for (const slot of [0, 1]) {
        const executor = executors[index];
        assert.ok(executor !== undefined);
        const end = await observe(executor, attemptAt(evaluator, { code, slot }, index * 2 + slot + 1)).ended;
        assert.match(end.state === "failed" ? end.message : "", messages.get(evaluator.kind) ?? /never/);
      }
    }
  },
);

withProvision("an attempt that needs nothing is started and ended in the same call", (rig) => {
  const told = new ToldExecutor();
  const attempt = attemptAt(COMMAND);
  const { events } = observe(rig.provided(told), attempt);
  assert.equal(told.given[0], attempt);
  told.end();
  assert.deepEqual(events.map(({ type }) => type), ["ended"]);
  return Promise.resolve();
});

withProvision("a stop while the code is on its way ends the attempt at once, as stopped", async (rig) => {
  const code = await putTree(rig.folder, rig.transfer, { a: "x" });
  rig.transfer.gate = new Promise(() => {});
  const told = new ToldExecutor();
  const { running, ended } = observe(rig.provided(told), attemptAt(COMMAND, { code }));
  running.stop(60_000);
  assert.deepEqual(await ended, { state: "stopped" });
  assert.equal(told.given.length, 0);
});

const REFUSALS: readonly (readonly [string, (rig: Rig) => Promise<Partial<Attempt>>, RegExp, boolean])[] = [
  [
    "code that the master has not",
    () => Promise.resolve({ code: { sha256: "0".repeat(64), bytes: 1 } }),
    /the packed code of the evaluator is not at the master any more.*run the spec again/,
    false,
  ],
  [
    "code that is no pack",
    async ({ folder, transfer }) => {
      await Deno.writeTextFile(`${folder}/x`, "not a pack".repeat(100));
      return { code: await transfer.put(`${folder}/x`) };
    },
    /the packed code of the evaluator cannot be unpacked: the pack is broken/,
    true,
  ],
  [
    "an evaluator outside of its code",
    async ({ folder, transfer }) => ({
      code: await putTree(folder, transfer, { a: "x" }),
      evaluator: { kind: "command", command: ["true"], folder: "../elsewhere" },
    }),
    /\.\.\/elsewhere is not within its packed code/,
    true,
  ],
];

for (const [what, given, message, final] of REFUSALS) {
  withProvision(`${what} fails the attempt, and says why`, async (rig) => {
    const told = new ToldExecutor();
    const end = await observe(rig.provided(told), attemptAt(COMMAND, await given(rig))).ended;
    assert.equal(end.state, "failed");
    assert.match(end.state === "failed" ? end.message : "", message);
    assert.equal(end.state === "failed" && end.final, final);
    assert.equal(told.given.length, 0);
  });
}

withProvision(
  "a checkpoint that is gone or damaged costs the trial its steps, not its life: the attempt begins anew",
  async (rig) => {
    await Deno.writeTextFile(`${rig.folder}/x`, "not a pack".repeat(100));
    const damaged = await rig.transfer.put(`${rig.folder}/x`);
    for (const saved of [{ sha256: "1".repeat(64), bytes: 1 }, damaged]) {
      const told = new ToldExecutor();
      const { epoch } = attemptAt(COMMAND).lease;
      const restore = { ...saved, epoch, attempt: 1, step: 7 };
      const { events, ended } = observe(rig.provided(told), attemptAt(COMMAND, { restore }));
      await Promise.race([told.started.promise, ended]);
      assert.deepEqual(told.given.map(({ restored }) => restored), [undefined]);
      told.events({ type: "report", step: 1, metrics: { loss: 1 } });
      told.end();
      assert.equal((await ended).state, "completed");
      assert.deepEqual(events.map(({ type }) => type), ["report", "ended"]);
    }
    assert.deepEqual(rig.warnings, [
      `the checkpoint of step 7 is lost: the master has no artifact ${
        "1".repeat(64)
      }; the attempt begins at the ` +
      "beginning",
      "the checkpoint of step 7 is lost: the pack is broken: a header has no mark of a tar file; the attempt " +
      "begins at the beginning",
    ]);
  },
);

/** The packs of checkpoints that were reported, unpacked again by an attempt that goes on from each. */
async function restoredOf(rig: Rig, checkpoint: ArtifactRef, step: number): Promise<Attempt["restored"]> {
  const told = new ToldExecutor();
  const { epoch } = attemptAt(COMMAND).lease;
  const attempt = attemptAt(COMMAND, { restore: { ...checkpoint, epoch, attempt: 1, step } });
  const { ended } = observe(rig.provided(told), attempt);
  await told.started.promise;
  const restored = told.given[0]?.restored;
  const names = restored === undefined
    ? []
    : (await Deno.stat(restored.path)).isFile
    ? [await Deno.readTextFile(restored.path)]
    : await namesIn(restored.path);
  told.end();
  await ended;
  assert.deepEqual(names.length > 0, true);
  return restored;
}

withProvision(
  "a checkpoint is reported once it is durable, and comes back with its name and kind",
  async (rig) => {
    const told = new ToldExecutor();
    const { events, reported, ended } = observe(rig.provided(told), attemptAt(COMMAND));
    await writeTree(`${rig.folder}/saved`, { "model.pt": "weights", "folder/a": "x", "folder/best": "->a" });
    const away = Promise.withResolvers<void>();
    rig.transfer.gate = away.promise;
    told.events({ type: "report", step: 3, metrics: { loss: 1 } });
    told.events({ type: "checkpoint", step: 3, path: `${rig.folder}/saved/model.pt` });
    await reported;
    assert.equal(events.length, 1);
    away.resolve();
    told.end();
    assert.equal((await ended).state, "completed");
    const [, kept] = events;
    assert.ok(kept?.type === "report" && kept.checkpoint !== undefined && kept.step === 3);
    assert.deepEqual(kept.metrics, {});
    assert.deepEqual(await namesIn(`${rig.folder}/saved`), ["folder", "folder/a", "folder/best"]);
    const restored = await restoredOf(rig, kept.checkpoint, 3);
    assert.match(restored?.path ?? "", /\/model\.pt$/);
    assert.equal(restored?.step, 3);
    const pack = `${rig.folder}/folder.tar`;
    await packSaved(`${rig.folder}/saved/folder`, pack);
    const folder = await restoredOf(rig, await rig.transfer.put(pack), 4);
    assert.match(folder?.path ?? "", /\/folder$/);
  },
);

withProvision("what waits long for the master is told, with the reason, once", async (rig) => {
  const told = new ToldExecutor();
  const { running, ended } = observe(rig.provided(told), attemptAt(COMMAND));
  await Deno.writeTextFile(`${rig.folder}/model`, "x");
  rig.transfer.failing = Array.from({ length: 20 }, () => "its disk is full (507)");
  rig.transfer.gate = new Promise(() => {});
  told.events({ type: "checkpoint", step: 3, path: `${rig.folder}/model` });
  while (rig.warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  running.stop(0);
  await ended;
  assert.deepEqual(rig.warnings.map((text) => text.replace(/: it was.*end;/, ";")), [
    "the checkpoint of step 3 cannot be kept now: its disk is full (507); it is tried again",
    "what the attempt saved last was not kept; the last try: its disk is full (507)",
  ]);
});

withProvision(
  "of checkpoints that wait the newest is kept, and nothing of the others is left",
  async (rig) => {
    const told = new ToldExecutor();
    const { events, ended } = observe(rig.provided(told), attemptAt(COMMAND));
    const away = Promise.withResolvers<void>();
    rig.transfer.gate = away.promise;
    for (let step = 1; step <= 5; step += 1) {
      await writeTree(`${rig.folder}/saved`, { [`${step}.pt`]: `weights ${step}` });
      told.events({ type: "checkpoint", step, path: `${rig.folder}/saved/${step}.pt` });
    }
    told.end();
    away.resolve();
    await ended;
    const steps = events.flatMap((event) => event.type === "report" ? [event.step] : []);
    assert.deepEqual(steps, [1, 5]);
    assert.deepEqual(await namesIn(`${rig.folder}/saved`), []);
  },
);

withProvision(
  "a stop does not wait longer for the master than its grace period, and says what was lost",
  async (rig) => {
    const told = new ToldExecutor();
    const { running, events, ended } = observe(rig.provided(told), attemptAt(COMMAND));
    await writeTree(`${rig.folder}/saved`, { a: "x" });
    rig.transfer.gate = new Promise(() => {});
    told.events({ type: "checkpoint", step: 1, path: `${rig.folder}/saved/a` });
    told.end();
    running.stop(20);
    await ended;
    assert.deepEqual(events.map(({ type }) => type), ["ended"]);
    assert.match(rig.warnings.join("\n"), /what the attempt saved last was not kept/);
    assert.deepEqual(await namesIn(`${rig.folder}/saved`), []);
  },
);

withProvision(
  "files that match are reported before the end, and no link leads out of the folder",
  async (rig) => {
    const told = new ToldExecutor();
    const files = ["*.png", "out/**"];
    const { events, ended } = observe(rig.provided(told), attemptAt(COMMAND, { files }));
    const folder = `${rig.folder}/attempt`;
    await writeTree(rig.folder, { "secret.txt": "secret" });
    await writeTree(folder, {
      "a.png": "A",
      "b.jpg": "B",
      "deep/c.png": "C",
      "out/x/y": "Y",
      "out/secret": "->../../secret.txt",
      "out/inner": "->../a.png",
      "out/folder": "->../deep",
      "out/loop": "->loop",
    });
    told.events({ type: "report", step: 12, metrics: { loss: 1 } });
    await told.given[0]?.collect?.(folder);
    told.end();
    await ended;
    const reported = events.flatMap((event) =>
      event.type === "report" && event.file !== undefined ? [`${event.file.name} of step ${event.step}`] : []
    );
    assert.deepEqual(reported, ["a.png of step 12", "out/inner of step 12", "out/x/y of step 12"]);
    assert.deepEqual(rig.warnings, []);
    assert.equal(await Deno.readTextFile(`${folder}/a.png`), "A");
  },
);

withProvision("a folder with too many files keeps what it may, and says so", async (rig) => {
  const told = new ToldExecutor();
  const { events, ended } = observe(rig.provided(told), attemptAt(COMMAND, { files: ["*"] }));
  const folder = `${rig.folder}/attempt`;
  await writeTree(folder, Object.fromEntries(Array.from({ length: 1_005 }, (_, index) => [`${index}`, ""])));
  await told.given[0]?.collect?.(folder);
  told.end();
  await ended;
  assert.equal(events.filter(({ type }) => type === "report").length, 1_000);
  assert.match(rig.warnings.join("\n"), /an attempt may keep 1000 files/);
});

withProvision("a saved folder that cannot be packed is a warning, and the attempt goes on", async (rig) => {
  const told = new ToldExecutor();
  const { ended } = observe(rig.provided(told), attemptAt(COMMAND));
  await writeTree(`${rig.folder}/saved`, { out: "->/etc/hostname" });
  told.events({ type: "checkpoint", step: 1, path: `${rig.folder}/saved` });
  told.events({ type: "checkpoint", step: -1, path: `${rig.folder}/nothing` });
  told.end();
  assert.equal((await ended).state, "completed");
  assert.match(
    rig.warnings.join("\n"),
    /checkpoint of step 1 was not kept: out is a link to \/etc\/hostname/,
  );
  assert.match(rig.warnings.join("\n"), /checkpoint of step -1 was not kept/);
});
