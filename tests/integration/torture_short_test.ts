/**
 * `deno task torture`, for a few seconds.
 *
 * @module
 */
import { deepEqual, equal, match, rejects } from "node:assert/strict";

const SCRIPT = new URL("../../scripts/torture.ts", import.meta.url).pathname;

function torture(...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", "--quiet", SCRIPT, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("a cluster that is tortured for ten seconds loses nothing and does nothing twice", {
  timeout: 180_000,
}, async () => {
  const child = torture("--minutes", "0.17", "--seed", "1");
  const { code, stdout, stderr } = await child.output();
  const told = new TextDecoder().decode(stdout);
  equal(code, 0, `${told}${new TextDecoder().decode(stderr)}`);
  match(told, /^torture for 0\.17 minutes, seed 1, in /);
  match(told, /^ +\d+\.\d s {2}kill_worker w\d: back after \d+ ms$/m);
  match(told, /^verify +looked at \d+ things, found 0 violations$/m);
  match(told, /nothing was lost, nothing was done twice\n$/);
});

Deno.test(
  "torture that is interrupted leaves neither a process nor a folder",
  { timeout: 60_000 },
  async () => {
    const child = torture("--minutes", "1", "--seed", "2");
    let told = "";
    let folder = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      told += text;
      // Once something was done to it: some of its processes may be stopped then.
      if (folder !== "" || !/for \d+ ms\n/.test(told)) continue;
      folder = /, in (\S+)\n/.exec(told)?.[1] ?? "";
      child.kill("SIGINT");
    }
    equal((await child.status).code, 130, told);
    await child.stderr.cancel();
    await rejects(Deno.stat(folder), Deno.errors.NotFound);
    deepEqual(processesOf(folder), []);
  },
);

/** The processes on whose command line a folder stands. */
function processesOf(folder: string): string[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => {
    try {
      return /^\d+$/.test(name) && Deno.readTextFileSync(`/proc/${name}/cmdline`).includes(folder);
    } catch {
      // It ended while the folder was read.
      return false;
    }
  });
}
