/**
 * Nothing of attempts is left when they were cancelled, or their worker killed: processes, open files, temporary files.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { Cgroups } from "../../worker/executors/processes/cgroup.ts";

/** How what is left is found. */
type Found = "marks" | "cgroups";

const IS_LINUX = Deno.build.os === "linux";
/** Attempts that hold their processes when their worker is killed. */
const HELD = 56;
/** What `ends_worker.ts` starts for a command beside the program; with control groups one more. */
const SLEEPERS = 4;

const FILES_SLACK = 4;

const groups = Cgroups.open(crypto.randomUUID());
groups?.close();

Deno.test({
  name:
    `500 attempts with processes that stay, a third of which lose their worker, leave nothing, found by marks${
      IS_LINUX ? "" : " (passed over: this system shows no environments of processes)"
    }`,
  ignore: !IS_LINUX,
  timeout: 120_000,
  fn: () => leavesNothing("marks", 332, 3),
});

Deno.test({
  name: `128 attempts leave nothing, not even what has no environment, with control groups${
    groups === undefined ? " (passed over: none can be made here)" : ""
  }`,
  ignore: groups === undefined,
  timeout: 120_000,
  fn: () => leavesNothing("cgroups", 72, 1),
});

/** @param cancelled attempts that are cancelled @param kills workers that are killed, each holding `HELD` attempts */
async function leavesNothing(found: Found, cancelled: number, kills: number): Promise<void> {
  const place = await Deno.makeTempDir();
  // What the attempts start is known by the time for which it sleeps: nobody else's is so odd.
  const seconds = `3600.${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  const worker = (count: number, atATime: number, way: "cancel" | "hold") =>
    startWorker(place, [`${place}/data`, count, atATime, way, found, seconds].map(String));
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      const held = worker(HELD, HELD, "hold");
      equal(await firstLine(held), "holds");
      ok(sleepers(seconds).length >= HELD * SLEEPERS * 0.9);
      held.kill("SIGKILL");
      await held.status;
    }
    const { code, stdout } = await worker(cancelled, 20, "cancel").output();
    const { ended, filesEarly, filesLate } = JSON.parse(new TextDecoder().decode(stdout));
    equal(code, 0);
    equal(ended, cancelled);
    // One file may be just being written. What stays open for each attempt would be hundreds.
    ok(filesLate <= filesEarly + FILES_SLACK, `${filesEarly} files were open, then ${filesLate}`);
    deepEqual(sleepers(seconds), []);
    deepEqual(ofFolder(place), []);
    deepEqual(namesIn(`${place}/temporary`), []);
    // Folders of attempts are kept for people, for a while.
    deepEqual(namesIn(`${place}/data`), ["attempts", "commands", "evaluate.py", "python"]);
    deepEqual([...namesIn(`${place}/data/commands`), ...namesIn(`${place}/data/python`)], []);
  } finally {
    for (const pid of sleepers(seconds)) Deno.kill(pid, "SIGKILL");
    await Deno.remove(place, { recursive: true });
  }
}

function startWorker(place: string, words: string[]): Deno.ChildProcess {
  const main = new URL("./ends_worker.ts", import.meta.url).pathname;
  Deno.mkdirSync(`${place}/temporary`, { recursive: true });
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", main, ...words],
    env: { TMPDIR: `${place}/temporary` },
    stdin: "null",
    stdout: "piped",
  }).spawn();
}

async function firstLine(worker: Deno.ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of worker.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  return text.trim();
}

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).toSorted();
}

/** The processes that sleep for that time; those that have ended have no words. */
function sleepers(seconds: string): number[] {
  return processesWith("cmdline", `sleep\0${seconds}\0`);
}

/** The processes that have a folder in their environment. */
function ofFolder(folder: string): number[] {
  return processesWith("environ", folder);
}

function processesWith(file: "cmdline" | "environ", text: string): number[] {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name)).filter((pid) => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/${file}`).includes(text);
    } catch {
      // No process, another user's, or one that has just ended.
      return false;
    }
  });
}
