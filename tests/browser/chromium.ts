/**
 * A browser for tests and screenshots: Debian's Chromium, without a network of its own.
 *
 * @module
 */
import { type Browser, chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const QUIET = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Where Chromium is; undefined where it is not installed. */
export function findChromium(): string | undefined {
  return [Deno.env.get("ESPALIER_CHROMIUM"), ...PLACES].find((path) => path !== undefined && isFile(path));
}

/** Starts a browser with a fresh profile. */
export async function startChromium(executablePath: string): Promise<Browser> {
  return await chromium.launch({ executablePath, args: QUIET });
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
