import assert from "node:assert/strict";
import { findChromium, startChromium } from "./chromium.ts";
import { SmallCluster } from "./small_cluster.ts";

const executablePath = findChromium();
const name = "a search on a real master is on the page from its first trial to its last";

Deno.test({
  name: executablePath === undefined ? `${name} (skipped: no Chromium is installed)` : name,
  ignore: executablePath === undefined,
  // The browser's own connections outlive the test that closes it.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    assert.ok(executablePath !== undefined);
    const cluster = await SmallCluster.start({ workers: ["larch", "rowan"], slots: 2 });
    const browser = await startChromium(executablePath);
    try {
      const page = await (await browser.newContext()).newPage();
      const errors: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
      });
      page.on("pageerror", (error) => errors.push(error.message));
      await page.goto(cluster.loginUrl);
      await page.getByText("No experiment yet").waitFor();
      await page.locator(".fleet").getByText("larch").waitFor();
      await page.locator(".tree .remote").getByText("rowan").waitFor();
      const search = await cluster.client.run({
        name: "shown",
        space: { kind: "cnn", classes: 10 },
        evaluator: { kind: "builtin", name: "heuristic" },
        budget: { trials: 300 },
      });
      await page.getByText(/ of 300 trials/).waitFor();
      const { best } = await search.wait();
      await page.getByText("300 of 300 trials").waitFor();
      await page.getByText("completed", { exact: true }).waitFor();
      await page.getByText(`trial ${best?.trial}`, { exact: true }).waitFor();
      assert.deepEqual(errors, []);
    } finally {
      await browser.close();
      await cluster.stop();
    }
  },
});
