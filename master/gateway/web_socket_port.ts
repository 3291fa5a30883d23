/**
 * A WebSocket of the platform as a port for an actor.
 *
 * Promise: `closed` is told once, however often the platform says it; closing twice is harmless; sending on a socket
 * that has gone throws nothing. Frames are handed over without being copied.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { CLOSE_REASON_BYTES_MAX } from "../../shared/protocol/limits.ts";
import { EMPTY_FRAME, type SocketPort } from "../../shared/protocol/socket_port.ts";
import type { FromSocket } from "./messages.ts";

/** When a frame was sent on each socket: a count. */
const sent = new WeakMap<WebSocket, number>();

/** The port of a socket. */
export function portOf(socket: WebSocket): SocketPort {
  return {
    send: (frame) => sendOn(socket, frame),
    bufferedBytes: () => socket.bufferedAmount,
    close: (code, reason) => {
      if (socket.readyState === WebSocket.OPEN) socket.close(code, cut(reason));
    },
  };
}

function sendOn(socket: WebSocket, frame: Uint8Array<ArrayBuffer>): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  sent.set(socket, (sent.get(socket) ?? 0) + 1);
  socket.send(frame);
}

/**
 * Answers every frame that nothing else answers at once with an empty one.
 *
 * The platform's client leaves Nagle's algorithm on: a second small message waits until the first is acknowledged, and
 * the kernel of whoever has nothing to say holds that acknowledgement back for 40 ms. Any answer carries it at once.
 */
function quickAcknowledger(socket: WebSocket): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    const before = sent.get(socket) ?? 0;
    setImmediate(() => {
      isDue = false;
      if ((sent.get(socket) ?? 0) === before) sendOn(socket, EMPTY_FRAME);
    });
  };
}

/**
 * Tells what happens on a socket from its opening on.
 *
 * @param opened is called once the socket is open; answers whom to tell the rest
 * @param ended is called once at the end, also where the socket never opened
 */
export function listenTo(
  socket: WebSocket,
  opened: () => (event: FromSocket) => void,
  ended: () => void,
): void {
  let tell: ((event: FromSocket) => void) | undefined;
  let isOver = false;
  const end = (code: number, reason: string) => {
    if (isOver) return;
    isOver = true;
    ended();
    tell?.({ type: "closed", code, reason });
  };
  const acknowledge = quickAcknowledger(socket);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    tell = opened();
  };
  socket.onmessage = ({ data }) => {
    if (isOver) return;
    acknowledge();
    if (data instanceof ArrayBuffer) tell?.({ type: "frame", bytes: new Uint8Array(data) });
    else tell?.({ type: "text_frame" });
  };
  socket.onclose = (event) => end(event.code, event.reason);
  // What was wrong is told by the close event that follows an error.
  socket.onerror = () => {};
}

function cut(reason: string): string {
  // The reasons are short ASCII names; the limit counts bytes.
  return reason.slice(0, CLOSE_REASON_BYTES_MAX);
}
