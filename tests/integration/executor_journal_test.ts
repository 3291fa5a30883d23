/**
 * The worker's data folder with a disk that is full and a process that is killed.
 *
 * @module
 */
import { deepEqual, match, ok } from "node:assert/strict";
import { openIdentity } from "../../worker/identity.ts";
import { openJournal } from "../../worker/journal.ts";

const TIMEOUT_MS = 30_000;
/** What a file of the process may have, in blocks of 512 bytes. */
const FILE_BLOCKS = 16;

Deno.test(
  "a full disk costs no worker; when there is room again, results are kept again, and a kill loses none",
  {
    timeout: TIMEOUT_MS,
  },
  async () => {
    const folder = await Deno.makeTempDir();
    const worker = start(folder);
    const [refused = "", healed = ""] = await linesOf(worker, 2);
    const appended = Number(
      /^refused (\d+) \["results are not safe from a crash: [^"]+"\]$/.exec(refused)?.[1],
    );
    ok(appended > 5 && appended < FILE_BLOCKS, refused);
    const last = /^healed (\d+) 1$/.exec(healed)?.[1];
    throwsInUse(folder, worker.pid);
    worker.kill("SIGKILL");
    await worker.status;
    openIdentity(folder).close();
    const journal = await openJournal(folder);
    deepEqual(journal.waiting().map(({ result }) => result.task), [`disk/${last}`]);
    await journal.close();
    await Deno.remove(folder, { recursive: true });
  },
);

function throwsInUse(folder: string, pid: number): void {
  try {
    openIdentity(folder).close();
  } catch (error) {
    return match(String(error), new RegExp(`process ${pid}:`));
  }
  throw new Error("a folder that is held was given out");
}

/** With a limit on the size of files: beyond it writes fail, half done, as on a full disk. */
function start(folder: string): Deno.ChildProcess {
  const main = new URL("./executor_journal_process.ts", import.meta.url).pathname;
  const script = `trap "" XFSZ; ulimit -f ${FILE_BLOCKS}; exec "$@"`;
  const args = [
    "-c",
    script,
    "worker",
    Deno.execPath(),
    "run",
    "-A",
    "--no-check",
    "--no-code-cache",
    main,
    folder,
  ];
  return new Deno.Command("/bin/sh", { args, stdin: "null", stdout: "piped" }).spawn();
}

async function linesOf(child: Deno.ChildProcess, count: number): Promise<string[]> {
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.trim().split("\n").length === count && text.endsWith("\n")) break;
  }
  return text.trim().split("\n");
}
