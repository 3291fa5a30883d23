/**
 * What Python evaluators save, get back and print: checkpoints, files, output, devices.
 *
 * @module
 */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import type { Device } from "../../../shared/model/devices.ts";
import type { Observed } from "../../conformance/executor_attempts.ts";
import { failureOf, metricsOf, withPython } from "./executors_python_rig.ts";

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

const SAVES = `import os
def evaluate(candidate, context):
    path = os.path.join(context.folder, "model.pt")
    restored = context.restore()
    state = int(open(restored).read()) if restored else 0
    first = context.restored_step
    for step in range(state + 1, state + 4):
        with open(path, "w") as file: file.write(str(step))
        context.report(loss=1 / step)
        context.checkpoint(path)
    os.remove(path)
    return {"first": -1 if first is None else first}`;

withPython("what is no file or folder is not kept, and the call says so", async (rig) => {
  for (const call of [`artifact("/dev/zero")`, `checkpoint("/dev/zero", step=1)`]) {
    const observed = rig.start(await rig.write(`context.${call}`));
    const late = setTimeout(() => observed.running.stop(0), 3_000);
    equal(failureOf(await observed.ended).message, "OSError: /dev/zero is no file: it cannot be kept");
    clearTimeout(late);
  }
});

withPython(
  "what is saved can be overwritten at once, and comes back by its name with its step",
  async (rig) => {
    const evaluator = await rig.write(SAVES);
    const first = rig.start(evaluator);
    equal(metricsOf(await first.ended)["first"], -1);
    deepEqual(checkpointsOf(first), [1, 2, 3].map((step) => ({ step, files: { "model.pt": String(step) } })));
    deepEqual(first.events.map(({ type }) => type).slice(0, 4), [
      "report",
      "checkpoint",
      "report",
      "checkpoint",
    ]);
    const last = first.events.flatMap((event) => event.type === "checkpoint" ? [event.path] : []).at(-1) ??
      "";
    const second = rig.given(evaluator, { restored: { path: last, step: 3 } });
    equal(metricsOf(await second.ended)["first"], 3);
    deepEqual(checkpointsOf(second).at(-1), { step: 6, files: { "model.pt": "6" } });
    deepEqual(second.events.flatMap((event) => event.type === "report" ? [event.step] : []), [4, 5, 6]);
  },
);

withPython("a folder is saved whole, under a step of its own, and comes back as a folder", async (rig) => {
  const evaluator = await rig.write(`before = context.restore()
if before: return {"found": len(os.listdir(before)), "named": float(os.path.basename(before) == "state")}
os.makedirs(os.path.join(context.folder, "state", "deep"))
for name in ("a", "deep/b"): open(os.path.join(context.folder, "state", name), "w").write(name)
context.checkpoint(os.path.join(context.folder, "state"), step=20)
return {"found": 0}`);
  const first = rig.start(evaluator);
  await first.ended;
  deepEqual(checkpointsOf(first), [{ step: 20, files: { "state/a": "a", "state/deep/b": "deep/b" } }]);
  const [path] = first.events.flatMap((event) => event.type === "checkpoint" ? [event.path] : []);
  const second = rig.given(evaluator, { restored: { path: path ?? "", step: 20 } });
  deepEqual(metricsOf(await second.ended), { found: 2, named: 1 });
});

withPython("files are kept by their names, and all is collected before the end", async (rig) => {
  const collected: string[] = [];
  const evaluator = await rig.write(`path = os.path.join(context.folder, "plots", "a.svg")
os.makedirs(os.path.dirname(path))
open(path, "w").write("plot")
context.artifact(path)
context.artifact(path, name="b c/last.svg")
context.artifact(__file__)
try: context.artifact(path, name="../x")
except ValueError: return {"refused": 1}`);
  const observed = rig.given(evaluator, {
    collect: (folder) => {
      collected.push(...Object.keys(filesIn(folder)), String(observed.events.length));
      return Promise.resolve();
    },
  });
  deepEqual(metricsOf(await observed.ended), { refused: 1 });
  const names = observed.events.flatMap((event) => event.type === "file" ? [event.name] : []);
  deepEqual(names, ["plots/a.svg", "b c/last.svg", "evaluate_1.py"]);
  deepEqual(collected.toSorted(), ["3", "output.txt", "plots/a.svg"]);
});

withPython("what cannot be saved is raised in the evaluator, and leaves nothing behind", async (rig) => {
  const end = await rig.run(`context.checkpoint("gone.pt")`);
  match(failureOf(end).message, /FileNotFoundError.*gone\.pt/);
  match(failureOf(await rig.run(`context.checkpoint(__file__, step=-1)`)).message, /checkpoint needs a step/);
  const printed = await rig.run(`print('[tune-checkpoint]: {"path": "x"}')\nreturn {"a": 1}`);
  equal(printed.state, "completed");
  match(rig.warnings.join(), /in Python, call context\.checkpoint or context\.artifact/);
  deepEqual(snapshotsIn(rig.folder), []);
});

withPython("a copy whose process is killed in the middle goes with it", async (rig) => {
  const evaluator = await rig.write(`import shutil, time
path = os.path.join(context.folder, "big")
os.mkdir(path)
for name in ("a", "b"): open(os.path.join(path, name), "w").write(name)
def wait(*given):
    context.report(copying=1)
    time.sleep(3600)
shutil.copytree = lambda source, target, **more: (os.mkdir(target), wait())
context.checkpoint(path)`);
  const observed = rig.start(evaluator);
  await observed.reported;
  equal(snapshotsIn(rig.folder).length, 1);
  observed.running.stop(0);
  deepEqual(await observed.ended, { state: "stopped" });
  deepEqual(snapshotsIn(rig.folder), []);
});

withPython("what is printed is told as it comes", async (rig) => {
  const observed = rig.start(
    await rig.write(`sys.stdout.buffer.write(b"a\\xff"); sys.stdout.flush()
os.system("printf b"); print("c", file=sys.stderr)
return {"a": 1}`),
  );
  await observed.ended;
  deepEqual(observed.outputs.flatMap(({ data }) => [...data]), [97, 255, 98, 99, 10]);
});

withPython("a process serves attempts with the same devices only, and slots exchange theirs", async (rig) => {
  const evaluator = await rig.write(
    `return {"pid": os.getpid(), "device": float(os.environ["CUDA_VISIBLE_DEVICES"][-1:] or -1)}`,
  );
  const run = async (slot: number, ...ids: string[]) => {
    const devices: Device[] = ids.map((id) => ({ id, kind: "cuda", name: "", memoryBytes: null }));
    const { pid, device } = metricsOf(await rig.given(evaluator, { devices }, slot).ended);
    equal(device, Number(ids.at(-1)?.at(-1) ?? -1));
    return pid;
  };
  const zero = await run(0, "GPU-0"), one = await run(1, "GPU-1");
  notEqual(zero, one);
  deepEqual([await run(0, "GPU-0"), await run(0, "GPU-1"), await run(1, "GPU-0")], [zero, one, zero]);
  const both = await run(0, "GPU-0", "GPU-1"), none = await run(0);
  equal(new Set([zero, one, both, none]).size, 4);
});

/** Copies of what attempts saved that nobody was told of. */
function snapshotsIn(folder: string): string[] {
  const names = Array.from(Deno.readDirSync(`${folder}/python/run`), ({ name }) => name);
  ok(names.includes("lifeline"));
  return names.filter((name) => name.startsWith("kept-"));
}
