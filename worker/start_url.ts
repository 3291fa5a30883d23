/**
 * Addresses of masters, as people write them.
 *
 * @module
 */
import { SOCKET_PATH } from "../shared/protocol/limits.ts";

/** The URL schemes that lead to a socket. */
const SCHEMES: Readonly<Record<string, string>> = {
  "ws:": "ws:",
  "wss:": "wss:",
  "http:": "ws:",
  "https:": "wss:",
};

/**
 * The URL of a master's socket.
 *
 * @param address such as `gpu1:4100`, `https://search.example.org` or `wss://example.org/espalier/socket`
 * @throws Error where it is none: a user's mistake
 */
export function socketUrl(address: string): string {
  const text = address.includes("://") ? address : `ws://${address}`;
  const url = URL.parse(text);
  const scheme = url === null ? undefined : SCHEMES[url.protocol];
  if (url === null || scheme === undefined || url.hostname === "") {
    throw new Error(
      `"${address}" is no address of a master: expected host:port, or a URL beginning with http, https, ws or wss`,
    );
  }
  const path = url.pathname.replace(/\/+$/, "");
  return `${scheme}//${url.host}${path.endsWith(SOCKET_PATH) ? path : `${path}${SOCKET_PATH}`}`;
}
