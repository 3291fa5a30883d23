/**
 * The page's connection: subscribes, takes in what comes, and comes back by itself.
 *
 * Promise: what is on the page is either fresh, or the page says that it is not.
 *
 * Without zod on purpose: the page comes from the master whose words it reads, and stays small.
 *
 * @module
 */
import { Decoder, Encoder } from "@msgpack/msgpack";
import type { FromClient, ToClient } from "../../shared/protocol/client_envelopes.ts";
import { mayReturn, SOCKET_PATH, SUBPROTOCOL } from "../../shared/protocol/limits.ts";
import { apply, link, replaceAll } from "./live_state.ts";

/** The wait before the first attempt to come back; doubled for each further one. */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;
/** The supervision tree comes once a second: a longer silence means that the connection is dead. */
const SILENCE_MS = 8_000;
const SUBSCRIPTION = "page";

const encoder = new Encoder();
const decoder = new Decoder();

/** Connects, and stays connected as long as the page is open. */
export function stayConnected(): void {
  let failures = 0;
  const again = (why: string) => {
    failures += 1;
    const waitMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (failures - 1)) * (0.75 + Math.random() / 2);
    link.value = { state: "lost", retryAtMs: Date.now() + waitMs, why };
    setTimeout(connect, waitMs);
  };
  const connect = () => {
    if (link.value.state !== "lost") link.value = { state: "connecting" };
    let refusal: Extract<ToClient, { type: "refused" }> | undefined;
    let silence: ReturnType<typeof setTimeout> | undefined;
    const socket = new WebSocket(socketUrl(), SUBPROTOCOL);
    const heard = () => {
      clearTimeout(silence);
      // Closing by itself may take long on a dead connection: the page does not wait for it.
      silence = setTimeout(() => ended("the master has been silent"), SILENCE_MS);
    };
    const ended = (why: string, code = 0) => {
      clearTimeout(silence);
      socket.onclose = socket.onmessage = socket.onopen = null;
      socket.close();
      if (refusal !== undefined && !mayReturn(code)) {
        link.value = { state: "refused", why: refusal.message, advice: refusal.advice };
      } else againUnlessLoggedOut(why, again);
    };
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      heard();
      send(socket, { type: "subscribe", id: SUBSCRIPTION, kind: "live", after: null, seen: null });
    };
    socket.onmessage = ({ data }) => {
      heard();
      for (const envelope of envelopesOf(data)) {
        if (envelope.type === "refused") refusal = envelope;
        if (envelope.type === "snapshot") {
          failures = 0;
          link.value = { state: "connected" };
          replaceAll(envelope.entries);
        } else if (envelope.type === "change") apply(envelope.entries);
      }
    };
    socket.onclose = ({ code, reason }) =>
      ended(reason === "restarting" ? "the master is restarting" : "the connection has ended", code);
  };
  connect();
}

/** A refused upgrade looks like a dead network to a page; a plain request tells the difference. */
async function againUnlessLoggedOut(why: string, again: (why: string) => void): Promise<void> {
  try {
    const { status } = await fetch("/", { method: "HEAD" });
    if (status !== 401) return again(why);
    const advice = "Open the address that the master printed when it started.";
    link.value = { state: "refused", why: "this browser is no longer logged in", advice };
  } catch {
    again("the master does not answer");
  }
}

function send(socket: WebSocket, envelope: FromClient): void {
  socket.send(encoder.encode([envelope]));
}

function envelopesOf(data: unknown): readonly ToClient[] {
  const list = data instanceof ArrayBuffer ? decoder.decode(new Uint8Array(data)) : undefined;
  // The one place where the page takes the master's word for the shape of what it says.
  return Array.isArray(list) ? list as ToClient[] : [];
}

function socketUrl(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${SOCKET_PATH}`;
}
