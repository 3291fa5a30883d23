/**
 * Strays are found whatever they do while they are looked for.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { pythonExecutor } from "../../../worker/executors/python/python.ts";
import { endStrays } from "../../../worker/executors/processes/strays.ts";
import { attemptOf, observe } from "../../conformance/executor_attempts.ts";

const IS_LINUX = Deno.build.os === "linux";
/** Chains end by themselves after so long, in seconds: a test that fails leaves nothing. */
const CHAIN_S = 8;
const CHAINS = 12;

/** Each link forks the next, leaves its session, writes a byte and ends. */
const FORKS = `
import os, sys, time
out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
until = time.monotonic() + ${CHAIN_S}
while time.monotonic() < until:
    if os.fork():
        os._exit(0)
    os.setsid()
    os.write(out, b".")
`;

/** pthread_exit of the main thread: what remains is a process, too. */
const MAIN_THREAD_ENDS = `
import ctypes, os, threading, time
threading.Thread(target=lambda: (os.write(1, b"."), time.sleep(5), os._exit(0))).start()
time.sleep(0.1)
ctypes.CDLL(None).pthread_exit(None)
`;

const HIDES = `
import signal, subprocess, time
def evaluate(candidate, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.run("env -i setsid sleep SECONDS </dev/null >/dev/null 2>&1 & sleep 0.1", shell=True)
    context.report(1, value=1)
    while not candidate["returns"]: time.sleep(1)
    time.sleep(0.2)
    return {"value": 1}
`;

/** Each link runs the next as a program: between, it has no environment that can be seen. */
const PROGRAMS = `
[ "$(date +%s)" -lt "$2" ] || exit 0
printf . >>"$1"
setsid sh "$0" "$1" "$2" </dev/null >/dev/null 2>&1 &
`;

linuxTest(
  "a chain of processes, of which each lives only until it has forked the next, is ended",
  async () => {
    for (let chain = 0; chain < CHAINS; chain += 1) {
      await endsChain((folder) => ["python3", `${folder}/chain`, `${folder}/out`], FORKS);
    }
  },
);

linuxTest("a chain of processes that run programs in turn is ended", async () => {
  const untilS = Math.floor(Date.now() / 1_000) + CHAIN_S;
  for (let chain = 0; chain < CHAINS; chain += 1) {
    await endsChain((folder) => ["sh", `${folder}/chain`, `${folder}/out`, String(untilS)], PROGRAMS);
  }
});

linuxTest("what has another mark is left alone, and what has none", async () => {
  const others = [undefined, "/another 1", "/mark2"].map((mark) => sleeper(mark));
  const ours = [sleeper("/mark"), sleeper("/mark test/1 1 epoch")];
  try {
    await endStrays((mark) => mark === "/mark" || mark.startsWith("/mark "));
    const ended = await Promise.all(ours.map(({ status }) => status));
    deepEqual(ended.map(({ signal }) => signal), ["SIGKILL", "SIGKILL"]);
    for (const { pid } of others) ok(Deno.readTextFileSync(`/proc/${pid}/stat`).includes(" S "));
  } finally {
    for (const other of others) other.kill("SIGKILL");
    await Promise.all(others.map(({ status }) => status));
  }
});

linuxTest("a process whose main thread has ended is found by its other threads", async () => {
  const mark = `/mark-${crypto.randomUUID()}`;
  const left = new Deno.Command("python3", {
    args: ["-c", MAIN_THREAD_ENDS],
    env: { ESPALIER_LEASE: mark },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = left.stdout.getReader();
  await reader.read();
  const until = performance.now() + 5_000;
  while (!Deno.readTextFileSync(`/proc/${left.pid}/stat`).includes(" Z ") && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await endStrays((of) => of === mark);
  await reader.cancel();
  // One that was not found ends by itself, with exit code 0.
  equal((await left.status).signal, "SIGKILL");
});

linuxTest(
  "what a Python attempt leaves without an environment ends with it, answered or killed",
  async () => {
    const seconds = `3600.${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    const folder = await Deno.makeTempDir();
    const path = `${folder}/evaluate.py`;
    await Deno.writeTextFile(path, HIDES.replace("SECONDS", seconds));
    const executor = pythonExecutor({ folder: `${folder}/data`, cgroups: false });
    const evaluator = { kind: "python", path } as const;
    for (const [number, returns] of [true, false].entries()) {
      const observed = observe(
        executor,
        attemptOf({ evaluator, input: { candidate: { returns } } }, 0, number + 1),
      );
      await observed.reported;
      equal(sleepersFor(seconds).length, 1);
      if (!returns) observed.running.stop(1);
      equal((await observed.ended).state, returns ? "completed" : "stopped");
      const until = performance.now() + 2_000;
      while (sleepersFor(seconds).length > 0 && performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const left = sleepersFor(seconds);
      for (const pid of left) Deno.kill(pid, "SIGKILL");
      deepEqual(left, [], returns ? "of the one that answered" : "of the one that was killed");
    }
    await executor.close();
    await Deno.remove(folder, { recursive: true });
  },
);

linuxTest(
  "where the list of processes is of other numbers than one's own, nothing is ended by it",
  async () => {
    const mark = `/mark-${crypto.randomUUID()}`;
    const theirs = sleeper(mark);
    const module = new URL("../../../worker/executors/processes/strays.ts", import.meta.url).href;
    const script = `const { endStrays } = await import(${JSON.stringify(module)});
    const { pid } = Deno;
    const startedMs = performance.now();
    await endStrays((of) => of === ${JSON.stringify(mark)});
    console.log(pid < 1000 ? performance.now() - startedMs : "no other numbers");`;
    const { stdout, success } = await new Deno.Command("unshare", {
      args: ["--pid", "--fork", Deno.execPath(), "eval", script],
      stderr: "null",
    }).output();
    theirs.kill("SIGTERM");
    equal((await theirs.status).signal, "SIGTERM");
    // Who may make no such place cannot see it here.
    if (success) ok(Number(new TextDecoder().decode(stdout)) < 1_000, "it waited for what it had not ended");
  },
);

/** The processes that sleep for so long. */
function sleepersFor(seconds: string): number[] {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name)).filter((pid) => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/cmdline`) === `sleep\0${seconds}\0`;
    } catch {
      return false;
    }
  });
}

function linuxTest(name: string, fn: () => Promise<void>): void {
  const reason = " (passed over: this system shows no environments of processes)";
  Deno.test({ name: IS_LINUX ? name : name + reason, ignore: !IS_LINUX, timeout: 60_000, fn });
}

/** Starts a chain, ends it, and sees by what it writes that it has ended. */
async function endsChain(words: (folder: string) => string[], text: string): Promise<void> {
  const folder = await Deno.makeTempDir();
  const [program = "", ...args] = words(folder);
  const out = `${folder}/out`;
  await Deno.writeTextFile(`${folder}/chain`, text);
  const env = { ESPALIER_LEASE: folder };
  const first = new Deno.Command(program, { args, env, stdin: "null", stdout: "null", stderr: "null" })
    .spawn();
  await first.status;
  while (sizeOf(out) < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  await endStrays((mark) => mark === folder);
  const written = sizeOf(out);
  // A chain that lives writes every few milliseconds.
  await new Promise((resolve) => setTimeout(resolve, 30));
  equal(sizeOf(out), written);
  await Deno.remove(folder, { recursive: true });
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}

function sleeper(mark: string | undefined): Deno.ChildProcess {
  const env = mark === undefined ? {} : { ESPALIER_LEASE: mark };
  return new Deno.Command("sleep", { args: ["60"], env, stdin: "null" }).spawn();
}
