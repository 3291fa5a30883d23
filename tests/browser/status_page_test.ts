import assert from "node:assert/strict";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { BUNDLE, bundlePage } from "../../client/dashboard/bundle.ts";
import { readPage } from "../../client/dashboard/assets.ts";
import { GatewayRig, type RigOptions } from "../integration/gateway_rig.ts";
import { findChromium, startChromium } from "./chromium.ts";
import { experimentEntry, sampleEntries, workerEntry } from "./sample_values.ts";

const executablePath = findChromium();
let browser: Browser | undefined;

/** A page that is logged in, and what went wrong in it. */
interface Visit {
  readonly it: GatewayRig;
  readonly page: Page;
  readonly context: BrowserContext;
  readonly errors: string[];
  /** Hosts that anything was asked of. */
  readonly hosts: Set<string>;
}

function visit(name: string, options: RigOptions, body: (visit: Visit) => Promise<void>): void {
  Deno.test({
    name: executablePath === undefined ? `${name} (skipped: no Chromium is installed)` : name,
    ignore: executablePath === undefined,
    // The browser is shared by all tests: starting one takes longer than any of them.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      assert.ok(executablePath !== undefined);
      browser ??= await startChromium(executablePath);
      const it = new GatewayRig({ assets: await readPage(), ...options });
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      const page = await context.newPage();
      const errors: string[] = [];
      const hosts = new Set<string>();
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
      });
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("request", (request) => hosts.add(new URL(request.url()).host));
      page.on("websocket", (socket) => hosts.add(new URL(socket.url()).host));
      try {
        await body({ it, page, context, errors, hosts });
      } finally {
        await context.close();
        await it.end();
      }
    },
  });
}

Deno.test.afterAll(async () => await browser?.close());

function login({ it, page }: Visit): Promise<unknown> {
  return page.goto(`${it.listener.url}/login?token=${it.tokens.view}`);
}

Deno.test("the bundle that the master serves is what the page's source makes", async () => {
  assert.ok(await bundlePage() === await Deno.readTextFile(BUNDLE), "run client/dashboard/bundle.ts");
});

visit("the page shows what runs, without an error and without asking another host", {
  entries: sampleEntries(),
}, async (visit) => {
  await login(visit);
  const { it, page, errors, hosts } = visit;
  await page.getByText("live", { exact: true }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/");
  const digits = page.locator("article", { hasText: "digits-1" });
  await digits.getByText("153 of 200 trials").waitFor();
  await digits.locator("dd").getByText("0.9731").waitFor();
  await page.getByText("5 failures in a row").waitFor();
  const names = await page.locator(".fleet tbody th").allInnerTexts();
  assert.deepEqual(names, ["alpha-1", "alpha-2", "beta-2", "beta-10"]);
  await page.getByText("on probation").waitFor();
  await page.locator(".tree").getByText("gateway", { exact: true }).waitFor();
  assert.match(await page.title(), /^1 running/);
  assert.deepEqual([...hosts], [new URL(it.listener.url).host]);
  assert.deepEqual(errors, []);
});

visit("a change is on the page as soon as it is told", {}, async (visit) => {
  await login(visit);
  const { it, page, errors } = visit;
  await page.getByText("No experiment yet").waitFor();
  await page.getByText("No worker is connected").waitFor();
  it.show([
    experimentEntry({ trials: { completed: 1, failed: 0, cancelled: 0, pruned: 0 } }),
    workerEntry("w1"),
  ]);
  await page.getByText("1 of 200 trials").waitFor();
  await page.locator(".fleet").getByText("w1", { exact: true }).waitFor();
  it.show([experimentEntry({ trials: { completed: 2, failed: 0, cancelled: 0, pruned: 0 } })]);
  await page.getByText("2 of 200 trials").waitFor();
  it.show([{ topic: "worker", key: "w1", value: null }]);
  await page.getByText("No worker is connected").waitFor();
  assert.deepEqual(errors, []);
});

visit("a page that loses its master says so, and comes back by itself", {
  entries: [experimentEntry()],
}, async (visit) => {
  await login(visit);
  const { it, page } = visit;
  await page.getByText("153 of 200 trials").waitFor();
  const cluster = it.system.inspect()?.children.find(({ name }) => name === "cluster");
  assert.ok(cluster !== undefined);
  it.system.kill(cluster);
  await page.getByText("Disconnected: the master is restarting").waitFor();
  await page.getByText("What you see is from before").waitFor();
  await page.getByText("live", { exact: true }).waitFor();
  assert.equal(await page.getByText("Disconnected").count(), 0);
  await page.getByText("153 of 200 trials").waitFor();
});

visit("a page whose master has gone waits for it, and is logged in when it is there again", {
  entries: [experimentEntry()],
}, async (visit) => {
  await login(visit);
  const { it, page } = visit;
  await page.getByText("153 of 200 trials").waitFor();
  await it.end();
  await page.getByText("Disconnected: the master does not answer").waitFor();
  const { tokens, listener: { port } } = it;
  const again = new GatewayRig({ tokens, port, assets: await readPage(), entries: [workerEntry("w1")] });
  try {
    await page.locator(".fleet").getByText("w1", { exact: true }).waitFor();
    assert.equal(await page.getByText("153 of 200 trials").count(), 0);
    assert.equal(await page.getByText("Disconnected").count(), 0);
  } finally {
    await page.close();
    await again.end();
  }
});

visit("whoever is not logged in is told how, and a token lets them in", {}, async ({ it, page }) => {
  await page.goto(it.listener.url);
  await page.getByLabel("Token").fill("wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("Token").fill(it.tokens.view);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("live", { exact: true }).waitFor();
});

visit("a store that cannot be relied on is shown", {}, async (visit) => {
  await login(visit);
  const { it, page } = visit;
  await page.getByText("live", { exact: true }).waitFor();
  const queue = { pending: 0, delayed: 0, running: 0 };
  const store = { state: "degraded", reason: "the disk is full" };
  const epoch = `${"0".repeat(32)}.1.00000000`;
  const value = { epoch, commit: 1, queue, store, startedAtMs: Date.now() };
  it.show([{ topic: "status", key: "status", value }]);
  await page.getByText("The store cannot be relied on: the disk is full").waitFor();
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 390]) {
    visit(`nothing is wider than a ${colorScheme} page of ${width} pixels`, {
      entries: sampleEntries(),
    }, async (visit) => {
      const { page } = visit;
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await login(visit);
      await page.getByText("153 of 200 trials").waitFor();
      const wide = await page.evaluate("document.documentElement.scrollWidth");
      assert.equal(wide, width);
      const folder = Deno.env.get("ESPALIER_SHOTS");
      if (folder !== undefined) {
        await page.screenshot({ path: `${folder}/${colorScheme}-${width}.png`, fullPage: true });
      }
    });
  }
}
