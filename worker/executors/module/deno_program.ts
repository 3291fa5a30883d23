/**
 * What runs modules: a deno, and the harness as a file that it can read.
 *
 * In a compiled binary `Deno.execPath()` is the binary itself, and its sources are inside of it. Then deno is looked for
 * in PATH, and the harness is written out.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import failureText from "./harness/failure.ts" with { type: "text" };
import frameText from "./harness/frame.ts" with { type: "text" };
import keepingText from "./harness/keeping.ts" with { type: "text" };
import mainText from "./harness/main.ts" with { type: "text" };
import metricsText from "./harness/metrics.ts" with { type: "text" };

/**
 * Finds a deno.
 *
 * @param path where to look if this process is not one: as in the environment's PATH
 * @throws Error that says what to do where there is none
 */
export function findDeno(path = Deno.env.get("PATH") ?? ""): string {
  if (!Deno.build.standalone) return Deno.execPath();
  const found = path.split(":").filter((folder) => folder !== "").map((folder) => join(folder, "deno")).find(
    isFile,
  );
  if (found !== undefined) return found;
  throw new Error(
    "there is no deno in PATH, and TypeScript evaluators need one: install Deno (https://deno.com) on this machine, " +
      "or give its path in the worker's options",
  );
}

/**
 * The harness's main module.
 *
 * @param folder where it may be written if it is no file yet
 */
export function harnessFile(folder: string): string {
  const url = new URL("./harness/main.ts", import.meta.url);
  if (!Deno.build.standalone && url.protocol === "file:" && isFile(fileURLToPath(url))) {
    return fileURLToPath(url);
  }
  const file = join(folder, "harness", "main.ts");
  if (!isFile(file)) writeHarness(dirname(file));
  return file;
}

/** The harness's sources. What it imports is here, types excepted. */
export const HARNESS: Readonly<Record<string, string>> = {
  "failure.ts": failureText,
  "frame.ts": frameText,
  "keeping.ts": keepingText,
  "main.ts": mainText,
  "metrics.ts": metricsText,
};

function writeHarness(folder: string): void {
  Deno.mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(HARNESS)) Deno.writeTextFileSync(join(folder, name), text);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
