/**
 * Ctrl-C: once for a graceful end, twice for now.
 *
 * @module
 */

/** Whoever is told to end. */
export interface Interruptible {
  /** The first time: end what you are at. */
  onFirst(signal: Deno.Signal): void;
  /** The second time: end now. */
  onSecond(signal: Deno.Signal): void;
}

/** A terminal's Ctrl-C, and what a service manager sends. Windows knows only the first. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];

/** Listens for interrupts. @returns ends it */
export function listenForInterrupts(interruptible: Interruptible): () => void {
  let count = 0;
  const ends = SIGNALS.map((signal) => {
    const heard = () => {
      count += 1;
      if (count === 1) interruptible.onFirst(signal);
      else interruptible.onSecond(signal);
    };
    Deno.addSignalListener(signal, heard);
    return () => Deno.removeSignalListener(signal, heard);
  });
  return () => ends.forEach((end) => end());
}
