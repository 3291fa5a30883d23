/**
 * The one gate: formatting, lint, types, then all tests.
 *
 * Promise: everything runs, also after a failure; the last line is `N passed, N failed`, counted from what the test
 * runner says; the exit code is 0 only where nothing failed.
 *
 * `deno task ok` runs the gate, `deno task test` (`--tests`) the tests alone, `deno task test tests/unit` some of them.
 *
 * @module
 */

/** Tests that share the processor well, and tests whose processes and sockets want it to themselves. */
const GROUPS: readonly Group[] = [
  { folders: ["unit", "house", "property", "conformance", "simulation"], flags: ["--parallel"] },
  { folders: ["integration"], flags: [] },
  { folders: ["browser"], flags: [] },
];

const CHECKS: readonly (readonly string[])[] = [["fmt", "--check"], ["lint"], ["check", "."]];

const TEST_FLAGS = ["--allow-all", "--sanitize-ops", "--sanitize-resources", "--permit-no-files"];

/** What hangs is ended and counted as failed; the longest group takes a few minutes on two cores. */
const TEST_MINUTES_MAX = 15;

interface Group {
  /** Below tests/. */
  readonly folders: readonly string[];
  readonly flags: readonly string[];
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Runs what was asked for. Answers the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const paths = args.filter((arg) => !arg.startsWith("-"));
  const testsOnly = args.includes("--tests") || paths.length > 0;
  const failedChecks = testsOnly ? [] : await runChecks();
  const runs = paths.length > 0 ? [paths] : GROUPS.map(argumentsOf).filter((run) => run.length > 0);
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const run of runs) {
    // Types have been checked as a whole: once is enough.
    add(counts, await runTests([...run, ...(testsOnly ? [] : ["--no-check"])]));
  }
  if (!testsOnly) {
    console.log(
      `\nchecks: ${failedChecks.length === 0 ? "all passed" : `FAILED: ${failedChecks.join(", ")}`}`,
    );
  }
  console.log(closingLine(counts));
  return failedChecks.length + counts.failed === 0 ? 0 : 1;
}

/** The plain line that ends a run. */
function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** Runs the checks side by side. Answers the names of those that failed. */
async function runChecks(): Promise<string[]> {
  const failed: string[] = [];
  await Promise.all(CHECKS.map(async (check) => {
    const { code, stdout, stderr } = await deno([...check], "piped").output();
    const [name = ""] = check;
    console.log(`deno ${check.join(" ")}: ${code === 0 ? "passed" : "FAILED"}`);
    if (code === 0) return;
    failed.push(name);
    await Deno.stdout.write(stdout);
    await Deno.stderr.write(stderr);
  }));
  return failed;
}

/** The folders of a group that exist, and its flags. */
function argumentsOf({ folders, flags }: Group): string[] {
  const present = folders.map((folder) => `tests/${folder}`).filter(exists);
  return present.length === 0 ? [] : [...present, ...flags];
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Runs the test runner, passes its output on and counts. */
async function runTests(args: readonly string[]): Promise<Counts> {
  console.log(`\ndeno test ${args.join(" ")}`);
  const child = deno(["test", ...TEST_FLAGS, ...args], "inherit").spawn();
  const end = () => endGroup(child.pid);
  const deadline = setTimeout(() => {
    console.log(`\nended: still running after ${TEST_MINUTES_MAX} minutes`);
    end();
  }, TEST_MINUTES_MAX * 60_000);
  // The runner has a process group of its own, which a terminal's Ctrl-C does not reach.
  Deno.addSignalListener("SIGINT", end);
  const text = await passOn(child.stdout);
  const { success } = await child.status;
  clearTimeout(deadline);
  Deno.removeSignalListener("SIGINT", end);
  return countsOf(text, success);
}

async function passOn(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream) {
    await Deno.stdout.write(bytes);
    text += decoder.decode(bytes, { stream: true });
  }
  return text;
}

/** Ends a process and those it started: a test that hangs may have some. */
function endGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Reads the runner's own summary, such as `FAILED | 3 passed (2 steps) | 1 failed | 4 ignored (65ms)`.
 *
 * A run that ended badly without one failed test in its summary counts as one failure: it died, or could not begin.
 */
export function countsOf(text: string, success: boolean): Counts {
  // deno-lint-ignore no-control-regex
  const plain = text.replaceAll(/\u001b\[[0-9;]*m/g, "");
  const summary = [...plain.matchAll(/^(?:ok|FAILED) \| \d+ passed.*$/gm)].at(-1)?.[0] ?? "";
  const count = (word: string) => Number(summary.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
  const counts = { passed: count("passed"), failed: count("failed"), skipped: count("ignored") };
  if (!success && counts.failed === 0) counts.failed = 1;
  return counts;
}

function add(total: Counts, more: Counts): void {
  total.passed += more.passed;
  total.failed += more.failed;
  total.skipped += more.skipped;
}

/** This very deno: none needs to be installed. */
function deno(args: string[], stderr: "inherit" | "piped"): Deno.Command {
  return new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped", stderr, detached: true });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
