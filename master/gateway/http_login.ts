/**
 * Logging a browser in.
 *
 * Promise: what comes of a right token is a cookie that no script reads, and an address without the token; from one
 * address, wrong tokens come slowly.
 *
 * @module
 */
import { cookieHeader } from "./credentials.ts";
import { LOGIN_PAGE } from "./pages.ts";
import type { TokenCheck } from "./tokens.ts";

/** Wrong tokens that one address may try at once. */
export const LOGIN_BURST = 10;
/** And then one in so many milliseconds. */
export const LOGIN_EVERY_MS = 5_000;
/** Addresses that are remembered for their wrong tokens. */
export const LOGIN_ADDRESSES_MAX = 1_024;
/** A form with a token is far smaller. */
export const LOGIN_BODY_BYTES_MAX = 1_024;
/** The body of a form must be there within this time. */
const BODY_WITHIN_MS = 5_000;

/** Where browsers bring their tokens. */
export class LoginDesk {
  readonly #check: TokenCheck;
  readonly #isSecure: boolean;
  /** Tries that each address has left; those who tried longest ago come first. */
  readonly #left = new Map<string, { readonly tries: number; readonly atMs: number }>();

  constructor(check: TokenCheck, isSecure: boolean) {
    this.#check = check;
    this.#isSecure = isSecure;
  }

  /** Answers who brings a token. @param cookie its name; @param nowMs on any clock that never goes back */
  answer(token: string, address: string, cookie: string, nowMs: number): Response {
    const left = this.#triesLeft(address, nowMs);
    if (left < 1) {
      const headers = { "retry-after": String(LOGIN_EVERY_MS / 1_000), "cache-control": "no-store" };
      return new Response("too many wrong tokens from this address: wait a little\n", {
        status: 429,
        headers,
      });
    }
    if (this.#check.bearerOf(token) !== undefined) {
      return new Response(null, {
        status: 303,
        headers: {
          location: "/",
          "set-cookie": cookieHeader(cookie, token, this.#isSecure),
          "cache-control": "no-store",
        },
      });
    }
    // To ask for the form is no try.
    if (token !== "") this.#remember(address, left - 1, nowMs);
    return loginPage();
  }

  #triesLeft(address: string, nowMs: number): number {
    const known = this.#left.get(address);
    if (known === undefined) return LOGIN_BURST;
    return Math.min(LOGIN_BURST, known.tries + (nowMs - known.atMs) / LOGIN_EVERY_MS);
  }

  #remember(address: string, tries: number, atMs: number): void {
    this.#left.delete(address);
    const oldest = this.#left.keys().next();
    if (this.#left.size >= LOGIN_ADDRESSES_MAX && !oldest.done) this.#left.delete(oldest.value);
    this.#left.set(address, { tries, atMs });
  }
}

/** What someone gets who is not logged in. */
export function loginPage(): Response {
  return new Response(LOGIN_PAGE, {
    status: 401,
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  });
}

/** The token of a form; undefined where the body is no such form, too large or too slow. */
export async function tokenInForm(request: Request): Promise<string | undefined> {
  const length = Number(request.headers.get("content-length") ?? "");
  const type = request.headers.get("content-type") ?? "";
  if (!(length > 0 && length <= LOGIN_BODY_BYTES_MAX)) return undefined;
  if (!type.startsWith("application/x-www-form-urlencoded")) return undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), BODY_WITHIN_MS);
  });
  const text = await Promise.race([request.text().catch(() => undefined), late]);
  clearTimeout(timer);
  return text === undefined ? undefined : new URLSearchParams(text).get("token") ?? "";
}
