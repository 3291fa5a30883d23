/**
 * The way out to a peer: a WebSocket, or a simulated link.
 *
 * Promise: frames leave in order or not at all; after `close` nothing is sent and nothing is thrown.
 *
 * @module
 */

/** A frame without envelopes: the msgpack array of none. It says nothing, and is answered or ignored. */
export const EMPTY_FRAME: Uint8Array<ArrayBuffer> = new Uint8Array([0x90]);

/** An open connection, as an actor may use it: nothing here waits. */
export interface SocketPort {
  send(frame: Uint8Array<ArrayBuffer>): void;
  /** What was sent and has not left yet. */
  bufferedBytes(): number;
  /** Closing twice is harmless. The reason is cut to what a close frame holds. */
  close(code: number, reason: string): void;
}

/** What an adapter tells the actor that owns a connection. */
export type SocketEvent =
  | { readonly type: "opened"; readonly port: SocketPort }
  | { readonly type: "frame"; readonly bytes: Uint8Array }
  /** Once for each connection, however often the platform says it. */
  | { readonly type: "closed"; readonly code: number; readonly reason: string };
