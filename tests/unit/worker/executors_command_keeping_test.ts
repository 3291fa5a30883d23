/**
 * What commands save, get back and print: checkpoints, files, output, devices.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { takeSnapshot } from "../../../worker/executors/snapshot.ts";
import type { Observed } from "../../conformance/executor_attempts.ts";
import { folderOf, withCommands } from "./executors_command_rig.ts";

const CHECKPOINT = (path: string, step?: number) =>
  `echo '[tune-checkpoint]: ${JSON.stringify({ step, path })}'`;

/** The checkpoints that were told, with all files in them. */
function checkpointsOf({ events }: Observed) {
  return events.flatMap((event) =>
    event.type === "checkpoint" ? [{ step: event.step, files: filesIn(event.path) }] : []
  );
}

function filesIn(folder: string, prefix = ""): Record<string, string> {
  const files: Record<string, string> = {};
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) Object.assign(files, filesIn(path, `${prefix}${name}/`));
    else files[prefix + name] = Deno.readTextFileSync(path);
  }
  return files;
}

withCommands("what a program saves is kept as it was when it said so, by its name", async (rig) => {
  const observed = rig.given(
    `
    cd "$ESPALIER_CHECKPOINT"; mkdir -p deep/er
    echo one > model-1; ${CHECKPOINT("model-1", 1)}
    echo '[tune-metric]: {"loss": 1, "step": 4}'
    echo two > deep/er/model; echo more > deep/more; ln -s er/model deep/link; ${CHECKPOINT("deep")}
    until [ -e ../go ]; do sleep 0.01; done; rm -r model-1 deep
    echo all > last; ${CHECKPOINT(".", 9)}`,
    {},
  );
  while (checkpointsOf(observed).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await Deno.writeTextFile(`${folderOf(rig)}/go`, "");
  equal((await observed.ended).state, "completed");
  deepEqual(checkpointsOf(observed), [
    { step: 1, files: { "model-1": "one\n" } },
    { step: 4, files: { "deep/er/model": "two\n", "deep/more": "more\n", "deep/link": "two\n" } },
    { step: 9, files: { last: "all\n" } },
  ]);
  deepEqual(rig.warnings, []);
});

withCommands(
  "a checkpoint that is restored lies where the program saved it, and may be written to",
  async (rig) => {
    const first = rig.given(
      `cd "$ESPALIER_CHECKPOINT"; mkdir a; echo 7 > a/state; ${CHECKPOINT("a/state", 7)}`,
      {},
    );
    equal((await first.ended).state, "completed");
    const [saved] = first.events.flatMap((event) => event.type === "checkpoint" ? [event.path] : []);
    const second = rig.given(
      `cd "$ESPALIER_CHECKPOINT"; echo "step $ESPALIER_RESTORED_STEP, state $(cat a/state)"
    echo 8 >> a/state; echo '[tune-metric]: {"loss": 1}'; ${CHECKPOINT("a/state")}`,
      { restored: { path: saved ?? "", step: 7 } },
    );
    equal((await second.ended).state, "completed");
    match(textOf(second, "stdout"), /^step 7, state 7\n/);
    // Steps go on behind the restored one.
    deepEqual(second.events.map((event) => "step" in event ? event.step : undefined), [8, 8, undefined]);
    deepEqual(checkpointsOf(second), [{ step: 8, files: { "a/state": "7\n8\n" } }]);
    const third = rig.given(`echo "\${ESPALIER_RESTORED_STEP-none}"; ls "$ESPALIER_CHECKPOINT"`, {});
    await third.ended;
    equal(textOf(third, "stdout"), "none\n");
  },
);

withCommands("what cannot be saved is a warning that says why, and no failure", async (rig) => {
  const wrong = {
    "echo '[tune-checkpoint]: nothing'":
      /^a line \[tune-checkpoint\]: was dropped: expected .*"path": "model\.pt"/,
    [CHECKPOINT("../trial.json", 1)]:
      /^a checkpoint was dropped: \.\.\/trial\.json lies outside of ESPALIER_CHECKPOINT/,
    [CHECKPOINT("gone", 2)]: /^the checkpoint of step 2, gone was dropped: it is not there$/,
    [CHECKPOINT("link", 3)]: /^.*link was dropped: it is a link: name what it leads to$/,
    [CHECKPOINT("out/passwd", 4)]: /^.*out\/passwd was dropped: a link leads out of the folder/,
    [CHECKPOINT("holds", 5)]: /^.*holds was dropped: out is a link that leads out of it$/,
    [CHECKPOINT("pipe", 6)]: /^.*pipe was dropped: it is neither a file nor a folder$/,
  };
  for (const [line, problem] of Object.entries(wrong)) {
    const observed = rig.given(
      `cd "$ESPALIER_CHECKPOINT"; ln -s /etc/passwd link; ln -s /etc out; mkdir holds; ln -s ../../x holds/out
      mkfifo pipe; ${line}`,
      {},
    );
    equal((await observed.ended).state, "completed");
    deepEqual(checkpointsOf(observed), []);
    match(rig.warnings.at(-1) ?? "", problem);
  }
  equal(rig.warnings.length, Object.keys(wrong).length);
  equal(snapshotsIn(rig.folder), 0);
});

withCommands(
  "of checkpoints that are told faster than they can be copied, the newest is kept",
  async (rig) => {
    const observed = rig.given(
      `cd "$ESPALIER_CHECKPOINT"; for step in $(seq 2000); do echo $step > m$step
    echo "[tune-checkpoint]: {\\"step\\": $step, \\"path\\": \\"m$step\\"}"; done`,
      {},
    );
    equal((await observed.ended).state, "completed");
    const told = checkpointsOf(observed);
    ok(told.length < 500, String(told.length));
    deepEqual(told.at(-1), { step: 2000, files: { m2000: "2000\n" } });
  },
);

Deno.test("a file that changes while it is copied is not taken", async () => {
  const folder = await Deno.makeTempDir({ prefix: "espalier-snapshot-" });
  try {
    const path = `${folder}/model`;
    await Deno.writeFile(path, new Uint8Array(32 * 1024 * 1024));
    const taking = takeSnapshot(path, `${folder}/copy`);
    using file = await Deno.open(path, { append: true });
    let isDone = false;
    void taking.then(() => isDone = true);
    while (!isDone) await file.write(Uint8Array.of(1));
    equal(await taking, "it changed while it was read");
    equal(await Deno.stat(`${folder}/copy`).then(() => true, () => false), false);
    equal(await takeSnapshot(path, `${folder}/copy`), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

withCommands(
  "files are kept by their names when the program says so, and all is collected at the end",
  async (rig) => {
    const collected: string[] = [];
    const observed = rig.given(
      `cd "$ESPALIER_DIR"; mkdir plots; echo plot > plots/a.svg
    echo '[tune-artifact]: {"path": "plots/a.svg"}'
    echo '[tune-artifact]: {"path": "plots/a.svg", "name": "b c/last.svg"}'
    echo '[tune-artifact]: {"path": "plots"}'
    echo '[tune-artifact]: {"path": "/etc/passwd"}'
    echo '[tune-artifact]: {"path": "plots/a.svg", "name": "../x"}'`,
      {
        collect: (folder) => {
          // Whatever the program left is whole by now, and its end is not told yet.
          collected.push(...Object.keys(filesIn(folder)), ...observed.events.map(({ type }) => type));
          return Promise.resolve();
        },
      },
    );
    equal((await observed.ended).state, "completed");
    const files = observed.events.flatMap((event) =>
      event.type === "file" ? [[event.name, Deno.readTextFileSync(event.path)]] : []
    );
    deepEqual(files, [["plots/a.svg", "plot\n"], ["b c/last.svg", "plot\n"]]);
    deepEqual(collected.toSorted(), [
      "file",
      "file",
      "plots/a.svg",
      "stderr.txt",
      "stdout.txt",
      "trial.json",
    ]);
    match(
      rig.warnings.join("\n"),
      /passwd lies outside of ESPALIER_DIR[^]*"\.\.\/x" is no name[^]*plots was dropped: it is no file/,
    );
  },
);

withCommands("a line that tells of a file is never the result", async (rig) => {
  const end = await rig.run(
    `echo m > "$ESPALIER_CHECKPOINT/m"; echo '{"loss": 2}'; ${CHECKPOINT("m", 1)}; echo`,
    { result: "last_line" },
  );
  deepEqual(end, { state: "completed", metrics: { loss: 2 } });
});

withCommands("what a program prints is told by stream, as it is", async (rig) => {
  const observed = rig.given(`printf 'a\\377'; printf 'b\\000' >&2; printf c`, {});
  await observed.ended;
  const bytes = (stream: string) =>
    observed.outputs.flatMap((output) => output.stream === stream ? [...output.data] : []);
  deepEqual([bytes("stdout"), bytes("stderr")], [[97, 255, 99], [98, 0]]);
});

withCommands("an attempt's devices are in its environment, whatever the worker's own says", async (rig) => {
  const device = { id: "GPU-1", kind: "cuda", name: "", memoryBytes: null } as const;
  const print = `echo "\${CUDA_VISIBLE_DEVICES-none} \${ESPALIER_GPUS-none}"`;
  const own = rig.given(print, { devices: [device] }), none = rig.given(print, { devices: [] });
  await Promise.all([own.ended, none.ended]);
  deepEqual([textOf(own, "stdout"), textOf(none, "stdout")], ["GPU-1 GPU-1\n", " \n"]);
});

function textOf({ outputs }: Observed, stream: string): string {
  const pieces = outputs.filter((output) => output.stream === stream).map(({ data }) =>
    new TextDecoder().decode(data)
  );
  return pieces.join("");
}

/** Snapshots that nobody was told of. */
function snapshotsIn(folder: string): number {
  return [...Deno.readDirSync(`${folder}/commands/run`)].filter(({ name }) => name.startsWith("kept-"))
    .length;
}
