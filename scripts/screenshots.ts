/**
 * Pictures for the docs: `deno run -A scripts/screenshots.ts` writes docs/images/status.png.
 *
 * It runs the digits example on a small cluster and takes the picture when the search has something to show; about a
 * minute, and Chromium must be installed.
 *
 * @module
 */
import { parse } from "yaml";
import { findChromium, startChromium } from "../tests/browser/chromium.ts";
import { SmallCluster } from "../tests/browser/small_cluster.ts";

const EXAMPLE = new URL("../examples/digits/", import.meta.url);
const IMAGES = new URL("../docs/images/", import.meta.url);
const WORKERS = ["juniper", "larch", "rowan"];
/** So much of the search is done when the picture is taken. */
const TRIALS_DONE = 24;

if (import.meta.main) await main();

async function main(): Promise<void> {
  const executablePath = findChromium();
  if (executablePath === undefined) {
    console.error("no Chromium was found; install one, or name it in ESPALIER_CHROMIUM");
    Deno.exit(1);
  }
  const cluster = await SmallCluster.start({ workers: WORKERS, slots: 2 });
  const browser = await startChromium(executablePath);
  try {
    await runSearches(cluster);
    const context = await browser.newContext({
      viewport: { width: 1280, height: 860 },
      deviceScaleFactor: 2,
      colorScheme: "light",
    });
    const page = await context.newPage();
    await page.goto(cluster.loginUrl);
    await page.getByText(/ of 40 trials/).waitFor();
    await Deno.mkdir(IMAGES, { recursive: true });
    await page.screenshot({ path: new URL("status.png", IMAGES).pathname, fullPage: true });
  } finally {
    await browser.close();
    await cluster.stop();
  }
}

/** One search that is over, and one that is at work. */
async function runSearches({ client }: SmallCluster): Promise<void> {
  const quick = await client.run({
    name: "baseline",
    space: { kind: "cnn", classes: 10 },
    evaluator: { kind: "builtin", name: "heuristic" },
    budget: { trials: 200 },
  });
  await quick.wait();
  const spec = parse(await Deno.readTextFile(new URL("experiment.yaml", EXAMPLE)));
  const digits = await client.run({
    ...spec,
    evaluator: { kind: "module", path: new URL("evaluate.ts", EXAMPLE).pathname },
  });
  let done = 0;
  for await (const change of digits.changes()) {
    if (change.kind === "ended" && ++done >= TRIALS_DONE) return;
  }
}
