/**
 * A client that was made without a way to move artifacts.
 *
 * @module
 */
import { ArtifactError, type ArtifactTransfer } from "../shared/protocol/artifact_port.ts";

/** Says so. */
export const NO_ARTIFACTS: ArtifactTransfer = { put: refuse, get: refuse };

function refuse(): Promise<never> {
  const message = "this client was made without a way to move artifacts: connect() makes one that has it";
  return Promise.reject(new ArtifactError("refused", message));
}
