/**
 * A WebSocket of the platform as a port for an actor.
 *
 * Promise: `closed` is told once, however often the platform says it; closing twice is harmless; sending on a socket
 * that has gone throws nothing. Frames are handed over without being copied.
 *
 * @module
 */
import { CLOSE_REASON_BYTES_MAX } from "../../shared/protocol/limits.ts";
import type { SocketPort } from "../../shared/protocol/socket_port.ts";
import type { FromSocket } from "./messages.ts";

/** The port of a socket. */
export function portOf(socket: WebSocket): SocketPort {
  return {
    send: (frame) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame);
    },
    bufferedBytes: () => socket.bufferedAmount,
    close: (code, reason) => {
      if (socket.readyState === WebSocket.OPEN) socket.close(code, cut(reason));
    },
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
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    tell = opened();
  };
  socket.onmessage = ({ data }) => {
    if (isOver) return;
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
