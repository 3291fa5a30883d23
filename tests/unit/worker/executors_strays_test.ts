/**
 * Strays are found whatever they do while they are looked for.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { endStrays } from "../../../worker/executors/strays.ts";

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
