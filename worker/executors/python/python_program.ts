/**
 * What runs Python evaluators: an interpreter, and the `espalier` package as files that it can read.
 *
 * In a compiled binary the package's sources are inside of it; then they are written out.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import packageText from "../../../python/src/espalier/__init__.py" with { type: "text" };
import channelText from "../../../python/src/espalier/channel.py" with { type: "text" };
import contextText from "../../../python/src/espalier/context.py" with { type: "text" };
import failureText from "../../../python/src/espalier/failure.py" with { type: "text" };
import harnessText from "../../../python/src/espalier/harness.py" with { type: "text" };
import keepingText from "../../../python/src/espalier/keeping.py" with { type: "text" };
import leftoversText from "../../../python/src/espalier/leftovers.py" with { type: "text" };
import loadingText from "../../../python/src/espalier/loading.py" with { type: "text" };
import metricsText from "../../../python/src/espalier/metrics.py" with { type: "text" };
import torchLayersText from "../../../python/src/espalier/torch_layers.py" with { type: "text" };
import torchModelText from "../../../python/src/espalier/torch_model.py" with { type: "text" };

/** The interpreter where a spec names none. */
export const INTERPRETER_DEFAULT = "python3";

/** The sources of the package. */
export const PYTHON_PACKAGE: Readonly<Record<string, string>> = {
  "__init__.py": packageText,
  "channel.py": channelText,
  "context.py": contextText,
  "failure.py": failureText,
  "harness.py": harnessText,
  "keeping.py": keepingText,
  "leftovers.py": leftoversText,
  "loading.py": loadingText,
  "metrics.py": metricsText,
  "torch_layers.py": torchLayersText,
  "torch_model.py": torchModelText,
};

/**
 * The harness, beside the rest of its package.
 *
 * @param folder where it may be written if it is no file yet
 */
export function pythonHarness(folder: string): string {
  const url = new URL("../../../python/src/espalier/harness.py", import.meta.url);
  if (!Deno.build.standalone && url.protocol === "file:") return fileURLToPath(url);
  const place = join(folder, "espalier");
  const harness = join(place, "harness.py");
  if (isFile(harness)) return harness;
  Deno.mkdirSync(place, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(PYTHON_PACKAGE)) {
    if (name !== "harness.py") Deno.writeTextFileSync(join(place, name), text);
  }
  // Last: where it is, all of it is.
  Deno.writeTextFileSync(harness, harnessText);
  return harness;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
