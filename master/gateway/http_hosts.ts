/**
 * Which names a listener goes by.
 *
 * Promise: a page that lets its own name point at this machine (DNS rebinding) is answered by nobody here.
 *
 * @module
 */
import { isLoopback } from "../../shared/platform/plain_text.ts";

/**
 * Whether a request was meant for this listener.
 *
 * Addresses always are: a name is what can be made to point elsewhere. Names are where they were given; without any,
 * every name is good for a listener that others reach, and none but this machine's own for one on loopback.
 *
 * @param hostname of the request, such as `127.0.0.1` or `[::1]`
 * @param bind what the listener listens on
 * @param names by which a proxy or a tunnel passes requests on
 */
export function isOurs(hostname: string, bind: string, names: readonly string[]): boolean {
  if (isLoopback(hostname) || isAddress(hostname) || names.includes(hostname.toLowerCase())) return true;
  return names.length === 0 && !isLoopback(bind);
}

/** URLs write IPv6 in brackets, and IPv4 in no other way than this. */
function isAddress(hostname: string): boolean {
  return hostname.startsWith("[") || /^\d{1,3}(\.\d{1,3}){3}$/.test(hostname);
}

/** Whether the page that asks, if a page asks, came from here. */
export function isSameOrigin(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  const origin = request.headers.get("origin");
  // Pages without referrers say `null` for their origin where they send a form; then the browser's own word counts.
  if (origin === null || (origin === "null" && request.method === "POST")) {
    return site === null ? origin === null : site === "same-origin" || site === "none";
  }
  return URL.canParse(origin) && new URL(origin).host === request.headers.get("host");
}
