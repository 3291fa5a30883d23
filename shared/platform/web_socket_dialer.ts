/**
 * Connections to a master over WebSockets of the platform.
 *
 * Promise: one `closed` event ends what is told of a connection, also where nothing was opened; what a master says to the
 * upgrade itself (a wrong token, another version) is told with the close code that it would have had later.
 *
 * @module
 */
import { CLOSE, CLOSE_REASON_BYTES_MAX, SUBPROTOCOL } from "../protocol/limits.ts";
import { EMPTY_FRAME, type SocketEvent, type SocketPort } from "../protocol/socket_port.ts";
import { plainTextProblem } from "./plain_text.ts";

/** What a dialer may be given. */
export interface DialerOptions {
  /** Where proxies of its own are needed; the caller closes it. It goes before `caCerts`. */
  readonly client?: Deno.HttpClient | undefined;
  /** Authorities (PEM) that are trusted besides those of the system. */
  readonly caCerts?: readonly string[] | undefined;
  /** Sends the token in plain text to other machines too. */
  readonly insecure?: boolean | undefined;
  /** The token as it is now, where it may have changed since the start; undefined where it cannot be read. */
  readonly freshToken?: (() => Promise<string | undefined>) | undefined;
}

/** Opens connections. */
export interface WebSocketDialer {
  /** Connects with the protocol's subprotocol. */
  dial(url: string, token: string, events: (event: SocketEvent) => void): void;
}

/**
 * A dialer for masters.
 *
 * @example
 * ```ts ignore
 * webSocketDialer().dial("ws://127.0.0.1:4100/socket", token, (event) => console.log(event.type));
 * ```
 */
export function webSocketDialer(options: DialerOptions = {}): WebSocketDialer {
  return {
    dial: (url, token, events) => {
      const { freshToken } = options;
      if (freshToken === undefined) return dial(url, token, options, events);
      freshToken().catch(() => undefined).then((fresh) => dial(url, fresh ?? token, options, events));
    },
  };
}

type Tell = (event: SocketEvent) => void;

function dial(url: string, token: string, options: DialerOptions, events: Tell): void {
  // Told from an empty stack, like every other end.
  const fail = (reason: string) => queueMicrotask(() => events({ type: "closed", code: 0, reason }));
  const { client, caCerts = [] } = options;
  let own: Deno.HttpClient | undefined;
  try {
    const problem = plainTextProblem(url, options.insecure ?? false);
    if (problem !== undefined) return fail(`${problem.message}; ${problem.advice}`);
    if (client === undefined && caCerts.length > 0) own = Deno.createHttpClient({ caCerts: [...caCerts] });
    listen(open(url, token, client ?? own), (event) => {
      if (event.type === "closed") own?.close();
      events(event);
    });
  } catch (error) {
    // A URL, a token or a certificate that the platform does not take.
    own?.close();
    fail(error instanceof Error ? error.message : String(error));
  }
}

function open(url: string, token: string, client: Deno.HttpClient | undefined): WebSocket {
  const options: WebSocketOptions = {
    protocols: [SUBPROTOCOL],
    headers: { authorization: `Bearer ${token}` },
    ...(client === undefined ? {} : { client }),
  };
  // With the types of pages loaded too, `new WebSocket` is known only as pages have it, without headers.
  return Reflect.construct(WebSocket, [url, options]);
}

function listen(socket: WebSocket, events: Tell): void {
  let isOver = false;
  let problem = "";
  // By default a client's frames come as blobs, which are read asynchronously.
  socket.binaryType = "arraybuffer";
  socket.onopen = () => events({ type: "opened", port: portOf(socket) });
  socket.onmessage = ({ data }) => {
    if (isOver) return;
    if (data instanceof ArrayBuffer) events({ type: "frame", bytes: new Uint8Array(data) });
    else socket.close(CLOSE.malformed.code, CLOSE.malformed.name);
  };
  socket.onerror = (event) => {
    if (event instanceof ErrorEvent) problem = event.message;
  };
  // On some failures the platform tells of the end twice.
  socket.onclose = ({ code, reason }) => {
    if (isOver) return;
    isOver = true;
    events({ type: "closed", ...closing(code, reason, problem) });
  };
}

/**
 * The platform's client writes a message of over 1,024 bytes in two parts, its head first, and leaves Nagle's algorithm
 * on: the second part waits until the head is acknowledged, which the kernel of the other side puts off for 40 ms.
 *
 * An empty frame goes ahead of such a message: the master answers it at once, and that answer carries the
 * acknowledgement that lets both parts go together. One round trip instead of 40 ms.
 */
const ONE_WRITE_BYTES_MAX = 1_024;

function portOf(socket: WebSocket): SocketPort {
  return {
    send(frame) {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (frame.byteLength > ONE_WRITE_BYTES_MAX) socket.send(EMPTY_FRAME);
      socket.send(frame);
    },
    bufferedBytes: () => socket.bufferedAmount,
    close(code, reason) {
      if (socket.readyState === WebSocket.OPEN) socket.close(code, cut(reason));
    },
  };
}

/** The longest beginning that fits into a close frame. */
function cut(reason: string): string {
  const room = new Uint8Array(CLOSE_REASON_BYTES_MAX);
  return reason.slice(0, new TextEncoder().encodeInto(reason, room).read);
}

/** The platform tells of a refused upgrade only in the text of its error. */
function closing(code: number, reason: string, problem: string): { code: number; reason: string } {
  const status = /Invalid status code: (\d+)/.exec(problem)?.[1];
  switch (status) {
    case "401":
    case "403":
      return { code: CLOSE.unauthorized.code, reason: "the master does not accept this token" };
    case "400":
    case "426":
      return { code: CLOSE.version.code, reason: `the master does not speak ${SUBPROTOCOL}` };
    case "404":
      // No master says so; a proxy does while its master starts again: nothing that runs may be lost to that.
      return { code, reason: "there is no master at this address, but another web server" };
    case "421":
      return {
        code,
        reason: "the master does not go by this name: use its address, or start it with --host-name",
      };
    case "503":
      return { code: CLOSE.busy.code, reason: "the master is not ready" };
  }
  return { code, reason: reason !== "" ? reason : tlsInWords(problem.replace(/^NetworkError: /, "")) };
}

/** What a failed handshake means for whoever has to mend it. */
const HANDSHAKES: readonly (readonly [RegExp, string])[] = [
  [
    /UnknownIssuer|BadSignature/,
    "nobody whom this machine trusts has signed the master's certificate: name the authority's file with --ca",
  ],
  [
    /not valid for name|NotValidForName/,
    "the master's certificate is for another name: write the address with a name that it is for",
  ],
  [/Expired/, "the master's certificate has expired: renew it, or look at this machine's clock"],
  [/NotValidYet/, "the master's certificate is not valid yet: look at this machine's clock"],
  [
    /CaUsedAsEndEntity/,
    "the master's certificate has signed itself: make an authority and let that sign it (docs/security.md)",
  ],
  [/InvalidContentType/, "the master speaks without TLS at this address: write http:// where that is meant"],
  [
    /invalid HTTP version|invalid peer response/,
    "no plain text is spoken at this address: write https:// for TLS",
  ],
];

function tlsInWords(problem: string): string {
  const words = HANDSHAKES.find(([pattern]) => pattern.test(problem))?.[1];
  return words === undefined
    ? problem
    : `${words} (${problem.replace(/^failed to connect to WebSocket: /, "")})`;
}
