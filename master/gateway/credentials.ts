/**
 * How a token travels: a header, a cookie, or an entry in the list of WebSocket subprotocols.
 *
 * Promise: a request that brings a wrong token is refused even where it brings a right one by another way.
 *
 * @module
 */
import type { Bearer, TokenCheck } from "./tokens.ts";

/** A browser cannot set headers on a WebSocket; where it has no cookie either, this entry carries the token. */
export const TOKEN_PROTOCOL_PREFIX = "espalier.token.";

/** How long a browser stays logged in. */
const COOKIE_SECONDS = 30 * 86_400;

/**
 * Cookies are shared by all ports of a host: the name tells two masters on one machine apart. The prefix keeps other hosts
 * of a domain, and pages without TLS, from setting it.
 */
export function cookieName(port: number, isSecure: boolean): string {
  return `${isSecure ? "__Host-" : ""}espalier_${port}`;
}

/** Whose token a request brings; undefined where it brings none or a wrong one. */
export function bearerOf(request: Request, check: TokenCheck, cookie: string): Bearer | undefined {
  const bearers = tokensOf(request, cookie).map((token) => check.bearerOf(token));
  return bearers.includes(undefined) ? undefined : bearers[0];
}

/** The subprotocols that a WebSocket asks for, without tokens. */
export function subprotocolsOf(request: Request): readonly string[] {
  return listed(request).filter((entry) => !entry.startsWith(TOKEN_PROTOCOL_PREFIX));
}

/** The header that logs a browser in. */
export function cookieHeader(name: string, token: string, isSecure: boolean): string {
  const secure = isSecure ? "; Secure" : "";
  return `${name}=${token}; Path=/; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Strict${secure}`;
}

function tokensOf(request: Request, cookie: string): readonly string[] {
  const tokens: string[] = [];
  const authorization = request.headers.get("authorization");
  if (authorization !== null) tokens.push(/^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? "");
  for (const entry of listed(request)) {
    if (entry.startsWith(TOKEN_PROTOCOL_PREFIX)) tokens.push(entry.slice(TOKEN_PROTOCOL_PREFIX.length));
  }
  // A browser sends its cookie whether it is meant or not: it counts only where nothing else does.
  const cookieToken = tokens.length === 0 ? cookieOf(request, cookie) : undefined;
  return cookieToken === undefined ? tokens : [cookieToken];
}

function listed(request: Request): readonly string[] {
  const header = request.headers.get("sec-websocket-protocol") ?? "";
  return header.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
}

function cookieOf(request: Request, name: string): string | undefined {
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}
