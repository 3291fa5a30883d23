/**
 * Which life of the machine this is.
 *
 * @module
 */

/** A name that changes when the machine starts anew; empty where it cannot be told. */
export function readBoot(): string {
  try {
    return Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  } catch {
    return "";
  }
}
