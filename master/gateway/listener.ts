/**
 * The listener: one port for the socket, the page and the health checks.
 *
 * Promise: nobody gets a session without a token, the right subprotocol and, from a browser, the right origin; and not
 * beyond loopback without encryption unless someone said so.
 * Not here: what is said over a socket (session.ts), where tokens come from (tokens.ts).
 *
 * @module
 */
import { Hono } from "hono";
import { SOCKET_IDLE_SECONDS, SOCKET_PATH, SUBPROTOCOL } from "../../shared/protocol/limits.ts";
import { type Bind, bindProblem, hereOf, type ListenError, startProblem } from "./bind.ts";
import { cookieHeader, cookieName, roleOf, subprotocolsOf } from "./credentials.ts";
import type { Entrance, Gate } from "./door.ts";
import { type Asset, LOGIN_PAGE, PAGE_PATH, SECURITY_HEADERS } from "./pages.ts";
import type { Role } from "./roles.ts";
import type { TokenCheck } from "./tokens.ts";
import { UpgradeRate } from "./upgrade_rate.ts";
import { listenTo, portOf } from "./web_socket_port.ts";

/** Open sockets: each takes some 22 KB when idle, and a file handle. */
export const SESSIONS_MAX = 10_000;
/** When to come again if the master is not ready or full. */
const RETRY_AFTER_SECONDS = 1;

/** What a listener is given. */
export interface ListenerOptions extends Bind {
  readonly check: TokenCheck;
  /** What is served; `/` only to those who are logged in. */
  readonly assets: readonly Asset[];
  readonly sessionsMax?: number;
  readonly upgrades?: { readonly burst: number; readonly perSecond: number };
}

/** A port that is listened on. */
export interface Listener {
  /** Where the door attaches itself. */
  readonly gate: Gate;
  readonly hostname: string;
  readonly port: number;
  /** Such as `http://127.0.0.1:4400`: reached from this machine at least. */
  readonly url: string;
  /** Takes no one any more and lets go of the port. */
  close(): Promise<void>;
}

/** A listener, or why there is none. */
export type ListenResult =
  | { readonly ok: true; readonly listener: Listener }
  | { readonly ok: false; readonly error: ListenError };

/** Listens; until a door is attached, sockets are told to come again. */
export function listen(options: ListenerOptions): ListenResult {
  const problem = bindProblem(options);
  if (problem !== undefined) return { ok: false, error: problem };
  const house = new House(options);
  try {
    const { hostname, port, tls } = options;
    const server = Deno.serve(
      { hostname, port, ...tls, onListen: () => {} },
      (request) => house.answer(request),
    );
    house.boundTo(server.addr.port);
    return { ok: true, listener: listenerOf(house, server, options) };
  } catch (error) {
    return { ok: false, error: startProblem(error, options) };
  }
}

function listenerOf(
  house: House,
  server: Deno.HttpServer<Deno.NetAddr>,
  { hostname, tls }: ListenerOptions,
): Listener {
  const { port } = server.addr;
  const here = hereOf(hostname);
  const host = here.includes(":") ? `[${here}]` : here;
  return {
    gate: house,
    hostname,
    port,
    url: `${tls === undefined ? "http" : "https"}://${host}:${port}`,
    close: async () => {
      house.closeAll();
      await server.shutdown();
    },
  };
}

/** Answers requests. */
class House implements Gate {
  readonly #options: ListenerOptions;
  readonly #app = new Hono();
  readonly #rate: UpgradeRate;
  readonly #sockets = new Set<WebSocket>();
  #entrance: Entrance | undefined;
  #unready: readonly string[] = ["the master is starting"];
  #cookie = "";

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#rate = new UpgradeRate(performance.now(), options.upgrades?.burst, options.upgrades?.perSecond);
    this.#route();
  }

  attach(entrance: Entrance | undefined): void {
    this.#entrance = entrance;
  }

  unready(reasons: readonly string[]): void {
    this.#unready = reasons;
  }

  boundTo(port: number): void {
    this.#cookie = cookieName(port);
  }

  async answer(request: Request): Promise<Response> {
    return await this.#app.fetch(request);
  }

  /** The sessions have said their last words; who did not answer to them is not waited for. */
  closeAll(): void {
    this.#entrance = undefined;
    for (const socket of this.#sockets) socket.close();
  }

  #route(): void {
    this.#app.use(async (context, next) => {
      const { method, headers } = context.req.raw;
      if (method !== "GET" && method !== "HEAD") {
        return context.text("only GET is answered here; commands go over /socket", 405, {
          allow: "GET, HEAD",
        });
      }
      if (headers.has("transfer-encoding") || (headers.get("content-length") ?? "0") !== "0") {
        return context.text("no request with a body is taken", 413);
      }
      await next();
      // The answer to an upgrade belongs to the platform.
      if (context.req.path === SOCKET_PATH) return;
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.res.headers.set(name, value);
    });
    this.#app.get("/health", (context) => context.text("alive\n"));
    this.#app.get("/ready", (context) => {
      const ready = this.#unready.length === 0;
      return context.json({ ready, reasons: this.#unready }, ready ? 200 : 503);
    });
    this.#app.get(SOCKET_PATH, (context) => this.#upgrade(context.req.raw));
    this.#app.get("/login", (context) => this.#login(context.req.query("token") ?? ""));
    this.#routeAssets();
    this.#app.notFound((context) => context.text("there is nothing here\n", 404));
    this.#app.onError((_error, context) => context.text("the master could not answer this\n", 500));
  }

  #routeAssets(): void {
    for (const { path, contentType, body } of this.#options.assets) {
      this.#app.get(path, (context) => {
        if (path === PAGE_PATH && roleOf(context.req.raw, this.#options.check, this.#cookie) === undefined) {
          return context.html(LOGIN_PAGE, 401);
        }
        return context.body(body, 200, { "content-type": contentType, "cache-control": "no-cache" });
      });
    }
  }

  #login(token: string): Response {
    if (this.#options.check.roleOf(token) === undefined) {
      return new Response(LOGIN_PAGE, {
        status: 401,
        headers: { "content-type": "text/html; charset=utf-8" },
      });
    }
    const cookie = cookieHeader(this.#cookie, token, this.#options.tls !== undefined);
    return new Response(null, {
      status: 303,
      headers: { location: "/", "set-cookie": cookie, "cache-control": "no-store" },
    });
  }

  #upgrade(request: Request): Response {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return refuse(426, "this path is for WebSockets", { upgrade: "websocket" });
    }
    const role = roleOf(request, this.#options.check, this.#cookie);
    if (role === undefined) {
      return refuse(401, "a token is needed, or the one that was sent is not known here");
    }
    if (!isSameOrigin(request)) return refuse(403, "the page that asks is not of this host");
    const offered = subprotocolsOf(request);
    if (offered.length === 0) {
      return refuse(400, `no subprotocol was named; this master speaks ${SUBPROTOCOL}`);
    }
    if (!offered.includes(SUBPROTOCOL)) {
      return refuse(426, `this master speaks ${SUBPROTOCOL}, the peer ${offered.join(", ")}`);
    }
    // Only those who may come in count: nobody without a token can use up the others' rate.
    if (!this.#rate.admits(performance.now())) return later(429, "too many connections at once");
    if (this.#entrance === undefined) return later(503, this.#unready.join("; "));
    if (this.#sockets.size >= (this.#options.sessionsMax ?? SESSIONS_MAX)) {
      return later(503, "the master has as many connections as it takes");
    }
    return this.#open(request, role);
  }

  #open(request: Request, role: Role): Response {
    const { socket, response } = Deno.upgradeWebSocket(request, {
      protocol: SUBPROTOCOL,
      idleTimeout: SOCKET_IDLE_SECONDS,
    });
    this.#sockets.add(socket);
    listenTo(socket, () => {
      const port = portOf(socket);
      // The door may have shut between the answer and the opening.
      if (this.#entrance !== undefined) return this.#entrance.open(port, role);
      socket.close();
      return () => {};
    }, () => this.#sockets.delete(socket));
    return response;
  }
}

/** A browser says which page asks; everyone else says nothing. */
function isSameOrigin(request: Request): boolean {
  const origin = request.headers.get("origin");
  if (origin === null) return true;
  return URL.canParse(origin) && new URL(origin).host === request.headers.get("host");
}

function refuse(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${text}\n`, { status, headers });
}

function later(status: number, text: string): Response {
  return refuse(status, text, { "retry-after": String(RETRY_AFTER_SECONDS) });
}
