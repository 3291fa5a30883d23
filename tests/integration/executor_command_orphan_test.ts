/**
 * Commands do not outlive their worker.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { commandExecutor } from "../../worker/executors/command.ts";
import { untilGone } from "../conformance/executor_processes.ts";

Deno.test(
  "when the worker is killed, a program that was asked to end and did not dies with it; what left its group, at the next start",
  {
    timeout: 60_000,
  },
  async () => {
    const folder = await Deno.makeTempDir();
    const main = new URL("./executor_command_worker.ts", import.meta.url).pathname;
    const args = ["run", "-A", "--no-check", main, folder];
    const worker = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped" }).spawn();
    const group = await firstNumber(worker.stdout);
    worker.kill("SIGKILL");
    await worker.status;
    deepEqual(await untilGone(new Set([group])), []);
    const [stray] = processesIn(folder);
    equal(processesIn(folder).length, 1);
    // The next life of the worker.
    const executor = commandExecutor({ folder });
    await executor.close();
    deepEqual(processesIn(folder), [], `${stray} is alive`);
    await Deno.remove(folder, { recursive: true });
  },
);

async function firstNumber(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<number> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  return Number(text.trim());
}

/** The processes whose attempt's folder lies in a data folder. */
function processesIn(folder: string): number[] {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name)).filter((pid) => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/environ`).includes(`ESPALIER_DIR=${folder}/`);
    } catch {
      // No process, another user's, or one that has just ended.
      return false;
    }
  });
}
