/**
 * The listener: one port for the socket, the page, artifacts and the health checks.
 *
 * Promise: nobody gets a session without a token, the right subprotocol and, from a browser, the right origin; and not
 * beyond loopback without encryption unless someone said so.
 * Not here: what is said over a socket (session.ts), where tokens come from (tokens.ts).
 *
 * @module
 */
import { Hono } from "hono";
import { SOCKET_IDLE_SECONDS, SOCKET_PATH, SUBPROTOCOL } from "../../shared/protocol/limits.ts";
import type { ArtifactRoom } from "../artifacts/artifact_room.ts";
import { type Bind, bindProblem, hereOf, type ListenError, startProblem } from "./bind.ts";
import { bearerOf, cookieName, subprotocolsOf } from "./credentials.ts";
import type { Entrance, Gate, Visitor } from "./door.ts";
import { ArtifactDesk, isArtifactPath } from "./http_artifacts.ts";
import { isOurs, isSameOrigin } from "./http_hosts.ts";
import { LoginDesk, loginPage, tokenInForm } from "./http_login.ts";
import { LastingServer } from "./http_server.ts";
import { type Asset, PAGE_PATH, SECURITY_HEADERS, TLS_HEADERS } from "./pages.ts";
import type { Bearer, TokenCheck } from "./tokens.ts";
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
  /** What is served below `/artifacts`; nothing without. The caller closes it first. */
  readonly artifacts?: ArtifactRoom;
  /** Names by which a proxy or a tunnel passes requests on, in lower case. */
  readonly names?: readonly string[];
  /** Told when no connection can be taken, and when they can be again. */
  readonly trouble?: (message: string) => void;
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
  /** Ends the sessions of those whose token has ended. */
  expire(): void;
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
    const server = new LastingServer(
      options,
      (request, info) => house.answer(request, info.remoteAddr.hostname),
      options.trouble ?? (() => {}),
    );
    house.boundTo(server.port);
    return { ok: true, listener: listenerOf(house, server, options) };
  } catch (error) {
    return { ok: false, error: startProblem(error, options) };
  }
}

function listenerOf(
  house: House,
  server: LastingServer,
  { hostname, tls }: ListenerOptions,
): Listener {
  const { port } = server;
  const here = hereOf(hostname);
  const host = here.includes(":") ? `[${here}]` : here;
  return {
    gate: house,
    hostname,
    port,
    url: `${tls === undefined ? "http" : "https"}://${host}:${port}`,
    expire: () => house.expire(),
    close: async () => {
      house.closeAll();
      await server.close();
    },
  };
}

/** What is known of an open socket. */
interface Guest {
  readonly bearer: Bearer;
  tell: Visitor | undefined;
}

/** Answers requests. */
class House implements Gate {
  readonly #options: ListenerOptions;
  readonly #app = new Hono<{ Bindings: { readonly address: string } }>();
  readonly #rate: UpgradeRate;
  readonly #desk: LoginDesk;
  readonly #guests = new Map<WebSocket, Guest>();
  #entrance: Entrance | undefined;
  #unready: readonly string[] = ["the master is starting"];
  #cookie = "";

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#rate = new UpgradeRate(performance.now(), options.upgrades?.burst, options.upgrades?.perSecond);
    this.#desk = new LoginDesk(options.check, options.tls !== undefined);
    this.#route();
  }

  attach(entrance: Entrance | undefined): void {
    this.#entrance = entrance;
  }

  unready(reasons: readonly string[]): void {
    this.#unready = reasons;
  }

  boundTo(port: number): void {
    this.#cookie = cookieName(port, this.#options.tls !== undefined);
  }

  async answer(request: Request, address: string): Promise<Response> {
    return await this.#app.fetch(request, { address });
  }

  expire(): void {
    for (const [socket, { bearer, tell }] of this.#guests) {
      if (this.#options.check.holds(bearer)) continue;
      if (tell === undefined) socket.close();
      else tell({ type: "expired" });
    }
  }

  /** The sessions have said their last words; who did not answer to them is not waited for. */
  closeAll(): void {
    this.#entrance = undefined;
    for (const socket of this.#guests.keys()) socket.close();
  }

  #route(): void {
    this.#app.use(async (context, next) => {
      const response = this.#turnAway(context.req.raw, context.req.path);
      if (response === undefined) await next();
      else context.res = response;
      // The answer to an upgrade belongs to the platform.
      if (context.res.status === 101) return;
      const headers = { ...SECURITY_HEADERS, ...(this.#options.tls === undefined ? {} : TLS_HEADERS) };
      for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value);
    });
    this.#app.get("/health", (context) => context.text("alive\n"));
    this.#app.get("/ready", (context) => {
      const ready = this.#unready.length === 0;
      return context.json({ ready, reasons: this.#unready }, ready ? 200 : 503);
    });
    this.#app.get(SOCKET_PATH, (context) => this.#upgrade(context.req.raw));
    this.#app.get("/login", ({ req, env }) => this.#login(req.query("token") ?? "", env.address));
    this.#app.post("/login", async ({ req, env }) => {
      if (!isSameOrigin(req.raw)) return refuse(403, "the page that asks is not of this host");
      const token = await tokenInForm(req.raw);
      return token === undefined
        ? refuse(400, "a form with a token is expected")
        : this.#login(token, env.address);
    });
    this.#routeAssets();
    this.#routeArtifacts();
    this.#app.notFound((context) => context.text("there is nothing here\n", 404));
    this.#app.onError((_error, context) => context.text("the master could not answer this\n", 500));
  }

  #routeAssets(): void {
    for (const { path, contentType, body } of this.#options.assets) {
      this.#app.get(path, (context) => {
        const isOpen = path !== PAGE_PATH || bearerOf(context.req.raw, this.#options.check, this.#cookie);
        if (!isOpen) return loginPage();
        return context.body(body, 200, { "content-type": contentType, "cache-control": "no-cache" });
      });
    }
  }

  #routeArtifacts(): void {
    const { artifacts, check } = this.#options;
    if (artifacts === undefined) return;
    const desk = new ArtifactDesk(artifacts, check);
    // The router hands HEAD over as GET; the request itself still says HEAD.
    this.#app.on(["GET", "PUT"], "/artifacts/:name", (context) => desk.answer(context.req.raw, this.#cookie));
  }

  async #login(token: string, address: string): Promise<Response> {
    const { check } = this.#options;
    if (token !== "") await check.find(() => check.bearerOf(token));
    return this.#desk.answer(token, address, this.#cookie, performance.now());
  }

  /** What nobody gets an answer to. */
  #turnAway({ url, method, headers }: Request, path: string): Response | undefined {
    const { hostname, names = [] } = this.#options;
    if (!isOurs(new URL(url).hostname, hostname, names)) {
      return refuse(421, "this master does not go by that name: see --host-name");
    }
    if (method === "POST" && path === "/login") return undefined;
    if (method === "PUT" && isArtifactPath(path)) return undefined;
    if (method !== "GET" && method !== "HEAD") {
      return refuse(405, "only GET is answered here; commands go over /socket", { allow: "GET, HEAD" });
    }
    if (headers.has("transfer-encoding") || (headers.get("content-length") ?? "0") !== "0") {
      return refuse(413, "no request with a body is taken");
    }
    return undefined;
  }

  async #upgrade(request: Request): Promise<Response> {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return refuse(426, "this path is for WebSockets", { upgrade: "websocket" });
    }
    const { check } = this.#options;
    const bearer = await check.find(() => bearerOf(request, check, this.#cookie));
    if (bearer === undefined) {
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
    if (this.#guests.size >= (this.#options.sessionsMax ?? SESSIONS_MAX)) {
      return later(503, "the master has as many connections as it takes");
    }
    return this.#open(request, bearer);
  }

  #open(request: Request, bearer: Bearer): Response {
    const { socket, response } = Deno.upgradeWebSocket(request, {
      protocol: SUBPROTOCOL,
      idleTimeout: SOCKET_IDLE_SECONDS,
    });
    const guest: Guest = { bearer, tell: undefined };
    this.#guests.set(socket, guest);
    listenTo(socket, () => {
      // The door may have shut between the answer and the opening.
      if (this.#entrance === undefined) {
        socket.close();
        return () => {};
      }
      guest.tell = this.#entrance.open(portOf(socket), bearer.role);
      return guest.tell;
    }, () => this.#guests.delete(socket));
    return response;
  }
}

function refuse(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${text}\n`, { status, headers });
}

function later(status: number, text: string): Response {
  return refuse(status, text, { "retry-after": String(RETRY_AFTER_SECONDS) });
}
