/**
 * Whether there is room for another artifact.
 *
 * Promise: uploads never take the last of the disk, on which the store lives too.
 *
 * @module
 */
import { statfs } from "node:fs/promises";
import { type Refusal, refusal } from "./room_answers.ts";

/** What uploads leave free on the disk: this, or 5 % of a small disk. */
export const DISK_RESERVE_BYTES_MAX = 1024 ** 3;
const DISK_RESERVE_SHARE = 0.05;

/** Bounds that a person may set. */
export interface SpaceLimits {
  readonly artifactBytesMax: number;
  /** Of all whole artifacts and those on their way. */
  readonly artifactsBytesMax: number;
}

/** Counts what is kept, and looks at the disk. */
export class RoomSpace {
  readonly #folder: string;
  readonly #limits: SpaceLimits;
  /** Bytes of whole artifacts. */
  #keptBytes = 0;

  constructor(folder: string, limits: SpaceLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** Whether anyone needs to know what is kept. */
  get counts(): boolean {
    return Number.isFinite(this.#limits.artifactsBytesMax);
  }

  /** @param bytes negative where something went away */
  add(bytes: number): void {
    this.#keptBytes += bytes;
  }

  /** Why an artifact is too large, whatever else is there. */
  sizeProblem(total: number): Refusal | undefined {
    const { artifactBytesMax } = this.#limits;
    if (total <= artifactBytesMax) return undefined;
    return refusal(
      "too_large",
      `an artifact may have ${artifactBytesMax} bytes at this master, and this one has ${total}: ` +
        "see --artifact-limit",
    );
  }

  /**
   * Why there is no room.
   *
   * @param total of the artifact
   * @param missing those of its bytes that are not there yet
   * @param promised bytes that other uploads still bring, and the whole of what they bring
   */
  async problem(
    total: number,
    missing: number,
    promised: { readonly missing: number; readonly total: number },
  ): Promise<Refusal | undefined> {
    const { artifactsBytesMax } = this.#limits;
    if (this.#keptBytes + promised.total + total > artifactsBytesMax) {
      return refusal(
        "no_room",
        `the master keeps ${this.#keptBytes} bytes of artifacts, and may keep ${artifactsBytesMax}: ` +
          "see --artifacts-limit",
      );
    }
    const { freeBytes, reserveBytes } = await this.#disk();
    if (freeBytes - promised.missing - missing >= reserveBytes) return undefined;
    return refusal(
      "no_room",
      `the master's disk has ${freeBytes} bytes left, of which ${reserveBytes} stay free and ${promised.missing} ` +
        `are promised to other uploads: ${missing} more do not fit; make room on it`,
    );
  }

  /** Why no more may be written now, although it was promised: others fill the same disk. */
  async shortage(): Promise<Refusal | undefined> {
    const { freeBytes, reserveBytes } = await this.#disk();
    if (freeBytes >= reserveBytes) return undefined;
    return refusal("no_room", `the master's disk has only ${freeBytes} bytes left: make room on it`);
  }

  async #disk(): Promise<{ readonly freeBytes: number; readonly reserveBytes: number }> {
    const { bavail, blocks, bsize } = await statfs(this.#folder);
    return {
      freeBytes: bavail * bsize,
      reserveBytes: Math.ceil(Math.min(DISK_RESERVE_BYTES_MAX, blocks * bsize * DISK_RESERVE_SHARE)),
    };
  }
}
