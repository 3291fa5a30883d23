/**
 * Artifacts, as a worker or a client gets and puts them: over HTTP at the master's port.
 *
 * @module
 */
import type { ArtifactRef } from "../model/artifact.ts";

/** Where artifacts are asked for, below the master's address: `/artifacts/<sha256>`. */
export const ARTIFACTS_PATH = "/artifacts";

/** How long a transfer goes on. */
export interface TransferOptions {
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
  /** Told why a try came to nothing, where another one follows. */
  readonly failed?: ((reason: string) => void) | undefined;
}

/** Moves artifacts. A break is continued where it was, with back-off, until the signal ends it. */
export interface ArtifactTransfer {
  /**
   * Keeps a file at the master; answers once it is durable there. What the master has is not sent again.
   *
   * @throws ArtifactError
   */
  put(path: string, options?: TransferOptions): Promise<ArtifactRef>;
  /**
   * Writes an artifact to a new file, which is there only once its hash is right.
   *
   * @throws ArtifactError
   */
  get(ref: ArtifactRef, path: string, options?: TransferOptions): Promise<void>;
}

/** Why a transfer came to nothing. */
export class ArtifactError extends Error {
  /**
   * `missing`: the master has no such artifact. `refused`: this token may not, or a limit says no. `stopped`: the signal.
   * `local`: this machine's disk or file.
   */
  readonly kind: "missing" | "refused" | "stopped" | "local";

  constructor(kind: ArtifactError["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}
