/**
 * How attempts in Python end: told to stop, killed, and with what they left behind or did to their process.
 *
 * @module
 */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { metricsOf, type PythonRig, withPython } from "./executors_python_rig.ts";

/** Looks at the processes before they are said to live on. */
const LOOKS_MAX = 1_000;

withPython(
  "what is left behind ends with its attempt: threads, children, daemons, forks that came back",
  async (rig) => {
    const cases: readonly (readonly [string, RegExp])[] = [
      [
        `import threading\nthreading.Thread(target=time.sleep, args=(3600,), name="idler").start()`,
        /left the thread idler/,
      ],
      [`import subprocess\nsubprocess.Popen(["sleep", "3600"])`, /left a process/],
      [`os.system("setsid sleep 3600 </dev/null >/dev/null 2>&1 &")`, /left a process/],
      [`if os.fork() == 0: time.sleep(3600)`, /left a process/],
    ];
    for (const [text, words] of cases) {
      const evaluator = await rig.write(`${text}\nreturn {"pid": os.getpid()}`);
      const first = metricsOf(await rig.start(evaluator).ended);
      await gone(rig, text);
      match(rig.warnings.at(-1) ?? "", words);
      notEqual(metricsOf(await rig.start(evaluator).ended)["pid"], first["pid"]);
    }
    const told = rig.warnings.length;
    // A copy that returns, raises or reports does not speak for the attempt.
    const copies = await rig.write(`pid = os.fork()
if pid == 0:
    if candidate["how"] == "returns": return {"a": 2}
    if candidate["how"] == "raises": raise ValueError("copy")
    context.report(1, a=2)
os.waitpid(pid, 0)
return {"a": 1}`);
    for (const how of ["returns", "raises", "reports"]) {
      const observed = rig.start(copies, { how });
      deepEqual(await observed.ended, { state: "completed", metrics: { a: 1 } });
      equal(observed.events.length, 1);
    }
    equal(rig.warnings.length, told);
  },
);

withPython("one that never ends its import can be stopped", async (rig) => {
  const evaluator = await rig.write("# no evaluate\nprint('importing')\nwhile True: pass");
  const observed = rig.start(evaluator);
  await written(`${rig.folderOf(1)}/output.txt`, "importing");
  observed.running.stop(30_000);
  deepEqual(await observed.ended, { state: "stopped" });
});

withPython("a line of 50 MB without an end, and bytes that are no text, harm nobody", async (rig) => {
  const end = await rig.run(`print("[tune-metric]: " + " " * 50_000_000, flush=True)
os.write(1, b"\\xff\\xfe\\n")
print('[tune-metric]: {"a": NaN}')
return {"a": 1}`);
  deepEqual(end, { state: "completed", metrics: { a: 1 } });
  match(
    rig.warnings.join(),
    /line is longer than what is read of one,a report was dropped: its metric "a" is NaN/,
  );
});

withPython("what an attempt does to its process harms no other attempt", async (rig) => {
  const evaluator = await rig.write(`import signal
how = candidate["how"]
assert os.getcwd() == os.path.dirname(__file__)
if how == "goes elsewhere": os.chdir("/")
if how == "closes prints": sys.stdout.close(); sys.stderr = None; os.close(1); os.close(2)
if how == "none": print("heard"); os.system("echo heard >&2")
if how == "takes the signal": signal.signal(signal.SIGTERM, signal.SIG_DFL)
if how == "sets an alarm": signal.alarm(1)
if how == "reads its input": assert sys.stdin.read() == ""
if how == "waits": 
    context.report(ready=1)
    while not context.should_stop(): time.sleep(0.005)
return {"pid": os.getpid()}`);
  const pids = [];
  for (
    const how of ["goes elsewhere", "takes the signal", "sets an alarm", "reads its input", "closes prints"]
  ) {
    pids.push(metricsOf(await rig.start(evaluator, { how }).ended)["pid"]);
  }
  const observed = rig.start(evaluator, { how: "waits" });
  await observed.reported;
  observed.running.stop(30_000);
  deepEqual(await observed.ended, { state: "stopped" });
  pids.push(metricsOf(await rig.start(evaluator, { how: "none" }).ended)["pid"]);
  equal(new Set(pids).size, 1);
  equal(await Deno.readTextFile(`${rig.folderOf(7)}/output.txt`), "heard\nheard\n");
});

withPython("one that waits until it has no children is not kept waiting", async (rig) => {
  const end = await rig.run(`os.posix_spawn("/bin/true", ["true"], {})
try:
    while True: os.wait()
except ChildProcessError:
    return {"a": 1}`);
  deepEqual(end, { state: "completed", metrics: { a: 1 } });
  deepEqual(rig.warnings, []);
});

withPython("one that looks whether it should stop is asked, and its process serves on", async (rig) => {
  const evaluator = await rig.write(`context.report(pid=os.getpid())
while candidate.get("waits") and not context.should_stop(): time.sleep(0.005)
return {"pid": os.getpid()}`);
  const observed = rig.start(evaluator, { waits: true });
  const { pid } = await observed.reported;
  observed.running.stop(30_000);
  deepEqual(await observed.ended, { state: "stopped" });
  deepEqual(metricsOf(await rig.start(evaluator).ended), { pid });
});

withPython("one that does not stop is killed after its grace, with its children", async (rig) => {
  const observed = rig.start(
    await rig.write(`import subprocess
children = [subprocess.Popen(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], start_new_session=new) for new in (False, True)]
context.report(ready=1)
while True:
    try: time.sleep(3600)
    except BaseException: pass`),
  );
  await observed.reported;
  const before = performance.now();
  observed.running.stop(200);
  deepEqual(await observed.ended, { state: "stopped" });
  ok(performance.now() - before >= 190);
  await gone(rig);
});

/** Resolves when a file has a text. */
async function written(path: string, words: string): Promise<void> {
  for (;;) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text.includes(words)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What was killed is gone once the system has come to it, which takes a moment where many processes want it. */
async function gone(rig: PythonRig, text = ""): Promise<void> {
  for (let looks = 0; processesOf(rig).length > 0 && looks < LOOKS_MAX; looks += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  deepEqual(processesOf(rig), [], text);
}

/** Processes of attempts that are alive, by what they inherited; the harness itself has only its own mark. */
function processesOf({ folder }: PythonRig): string[] {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => name).filter((name) => {
    try {
      return Deno.readTextFileSync(`/proc/${name}/environ`).includes(`ESPALIER_DIR=${folder}/`);
    } catch {
      // No process, another user's, or one that has just ended.
      return false;
    }
  });
}
