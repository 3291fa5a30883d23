/**
 * Commands as real processes: a search over one from its file to its best, and programs that behave badly.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { ERROR_LINE_MAX } from "../../worker/executors/command/command_attempt.ts";
import { LINE_BYTES_MAX } from "../../worker/executors/line_reader.ts";
import { OUTPUT_HEAD_BYTES, OUTPUT_TAIL_BYTES } from "../../worker/executors/output_file.ts";
import { childGroups, untilGone } from "../conformance/executor_processes.ts";
import { failureOf, folderOf, withCommands } from "../unit/worker/executors_command_rig.ts";
import { cli, cliJson, CliProcess, inFolder } from "./cli_process.ts";

const EXAMPLE = new URL("../../examples/command/", import.meta.url).pathname;
const TRIALS = 12;

Deno.test("a search over a command goes from its file to its best, though its worker is killed", {
  timeout: 120_000,
}, () =>
  inFolder(async (folder) => {
    const data = ["--data", `${folder}/data`];
    const spec = `${folder}/curve.yaml`;
    const script = await Deno.readTextFile(`${EXAMPLE}train.sh`);
    // The worker is killed while this trial's program waits; when it comes back, nobody waits any more.
    const waiting = script.replace("\n", `\nmkdir "${folder}/once" 2>/dev/null && exec sleep 3600\n`);
    await Deno.writeTextFile(`${folder}/train.sh`, waiting, { mode: 0o755 });
    await Deno.copyFile(`${EXAMPLE}experiment.yaml`, spec);
    const master = new CliProcess(["master", ...data, "--port", "0"]);
    await master.line(/^master +http:\/\/127\.0\.0\.1:\d+$/m);
    const start = () => new CliProcess(["worker", ...data, "--slots", "1"]);
    const victim = start();
    const run = new CliProcess([
      "run",
      spec,
      ...data,
      "--set",
      `budget.trials=${TRIALS}`,
      "--output",
      "json",
    ]);
    const sleeper = await untilSleeping(`${folder}/once`, victim.pid);
    victim.signal("SIGKILL");
    await victim.finished();
    deepEqual(await untilGone(new Set([sleeper])), []);
    const again = start();
    const { code, out, notes } = await run.finished();
    equal(code, 0, notes);
    const { best, trials, attempts } = JSON.parse(out);
    equal(trials.completed, TRIALS);
    equal(attempts, TRIALS + 1);
    ok(best.metrics.loss < 0.2, JSON.stringify(best));
    const told = await cliJson("best", ...data);
    deepEqual(told, await cliJson("best", "curve-1", ...data));
    match(JSON.stringify(told), new RegExp(`"loss":${best.metrics.loss}`));
    await again.stop();
    await master.stop();
  }));

/** The group of the program that waits. */
async function untilSleeping(once: string, worker: number): Promise<number> {
  for (;;) {
    const isThere = await Deno.stat(once).then(() => true, () => false);
    const group = isThere ? groupOfChild(worker) : undefined;
    if (group !== undefined) return group;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function groupOfChild(parent: number): number | undefined {
  const threads = Array.from(Deno.readDirSync(`/proc/${parent}/task`), ({ name }) => name);
  const lists = threads.map((id) => Deno.readTextFileSync(`/proc/${parent}/task/${id}/children`));
  const children = lists.flatMap((list) => list.trim().split(" ")).filter((pid) => pid !== "");
  return children.map(Number).find((pid) => Deno.readTextFileSync(`/proc/${pid}/comm`).trim() === "sleep");
}

Deno.test(
  "a spec with a value that the space does not have, or a folder that is not there, is told with its line",
  {
    timeout: 60_000,
  },
  () =>
    inFolder(async (folder) => {
      const text = await Deno.readTextFile(`${EXAMPLE}experiment.yaml`);
      const spec = `${folder}/curve.yaml`;
      await Deno.writeTextFile(spec, text.replace("{model.degree}", "{model.degre}"));
      const { code, notes } = await cli("run", spec, "--data", `${folder}/data`);
      equal(code, 2, notes);
      match(
        notes,
        /curve\.yaml:\d+: evaluator\.command: \{model\.degre\}: model has no "degre"; did you mean "model\.degree"\?/,
      );
      const gone = await cli("run", spec, "--data", `${folder}/data`, "--set", "evaluator.folder=gone");
      equal(gone.code, 2);
      match(
        gone.notes,
        /evaluator\.folder: there is no folder .*\/gone; paths are relative to the spec's folder/,
      );
    }),
);

withCommands(
  "100 MB of output cost a bounded file, whose cut is said, and no report is lost",
  async (rig) => {
    const end = await rig.run(`
    echo begin; yes 'a line of no interest to anybody' | head -c 100000000
    printf '\\n\\n[tune-metric]: {"a": 1}\\n'; yes '' | head -c 10000000; echo end`);
    deepEqual(end, { state: "completed", metrics: { a: 1 } });
    const file = await Deno.readTextFile(`${folderOf(rig)}/stdout.txt`);
    ok(file.length < OUTPUT_HEAD_BYTES + OUTPUT_TAIL_BYTES + 100, String(file.length));
    match(file, /^begin\na line[^]*\n\[109\d{6} bytes left out\]\n[^]*\nend\n$/);
  },
);

withCommands("a line without an end is cut, and what it says does not count", async (rig) => {
  const long = `printf '[tune-metric]: {"a": 1'; head -c ${
    2 * LINE_BYTES_MAX
  } /dev/zero | tr '\\0' ' '; echo '}'`;
  const end = await rig.run(`${long}; echo '[tune-metric]: {"a": 2}'`);
  deepEqual(end, { state: "completed", metrics: { a: 2 } });
  match(rig.warnings.join(), /its line is longer than what is read of one/);
  match(
    failureOf(await rig.run(`head -c 20000000 /dev/zero`, { result: "last_line" })).message,
    /longer than/,
  );
});

withCommands("binary output is kept as it is, and harms nobody", async (rig) => {
  const end = await rig.run(
    `head -c 300000 /dev/urandom | tee "$ESPALIER_DIR/same"; printf '\\377\\n[tune-metric]: {"a": 1}\\n'`,
  );
  equal(end.state, "completed");
  const [kept, same] = await Promise.all(
    ["stdout.txt", "same"].map((name) => Deno.readFile(`${folderOf(rig)}/${name}`)),
  );
  ok(kept !== undefined && same !== undefined && same.every((byte, at) => kept[at] === byte));
  const failed = failureOf(await rig.run(`head -c 2000 /dev/urandom | tr -d '\\n' >&2; exit 1`)).message;
  ok(failed.length < ERROR_LINE_MAX + 100);
});

withCommands("no output at all is fine where none is asked for", async (rig) => {
  equal((await rig.run("exec >&- 2>&-; sleep 0.05", { result: "exit_code" })).state, "completed");
  equal(await Deno.readTextFile(`${folderOf(rig)}/stdout.txt`), "");
});

withCommands(
  "what holds the pipes after the program's end is ended, in its group and out of it",
  async (rig) => {
    // One in the group; one in a session of its own; one that also let go of the pipes.
    const held = await rig.run(`sleep 3600 & setsid sleep 3600 & setsid sleep 3600 >/dev/null 2>&1 &
    echo '[tune-metric]: {"a": 1}'`);
    deepEqual(held, { state: "completed", metrics: { a: 1 } });
    deepEqual(sleepersOf(folderOf(rig)), []);
  },
);

withCommands("one that ignores SIGTERM is killed after its grace, with its children", async (rig) => {
  const observed = rig.script(`trap '' TERM
    sleep 3600 & setsid sh -c 'trap "" TERM; sleep 3600' &
    echo '[tune-metric]: {"ready": 1}'; while :; do sleep 0.05; done`);
  await observed.reported;
  const groups = childGroups();
  const before = performance.now();
  observed.running.stop(300);
  deepEqual(await observed.ended, { state: "stopped" });
  ok(performance.now() - before >= 290);
  deepEqual(await untilGone(groups), []);
  deepEqual(sleepersOf(folderOf(rig)), []);
});

withCommands("one that is asked to end may put its things in order", async (rig) => {
  const observed = rig.script(`trap 'echo saved > "$ESPALIER_DIR/saved"; exit 0' TERM
    echo '[tune-metric]: {"ready": 1}'; while :; do sleep 0.02; done`);
  await observed.reported;
  observed.running.stop(30_000);
  deepEqual(await observed.ended, { state: "stopped" });
  equal(await Deno.readTextFile(`${folderOf(rig)}/saved`), "saved\n");
});

/** Processes of an attempt that are alive, by what they inherited. */
function sleepersOf(folder: string): string[] {
  const alive = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    try {
      if (!/^\d+$/.test(name)) continue;
      if (Deno.readTextFileSync(`/proc/${name}/environ`).includes(`ESPALIER_DIR=${folder}\0`)) {
        alive.push(name);
      }
    } catch {
      // Another user's, or it has just ended.
    }
  }
  return alive;
}
