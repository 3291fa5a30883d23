/**
 * A store that tells of the checkpoints that it has named.
 *
 * @module
 */
import type { Store, StoreChange, StoreVerdict } from "./store.ts";

/** @param tell is called with the hash of each checkpoint of a commit, once that is durable */
export function tellingCheckpoints(store: Store, tell: (sha256: string) => void): Store {
  return {
    open: (done, options) => store.open(done, options),
    commit: (epoch, changes, done) =>
      store.commit(epoch, changes, (result) => {
        if (result.ok) tellOf(changes, result.value.verdicts, tell);
        done(result);
      }),
    query: (kind, ask, done) => store.query(kind, ask, done),
    backup: (path, done) => store.backup(path, done),
    close: (done) => store.close(done),
  };
}

/** Those of a gap are said again, and not named before. */
function tellOf(
  changes: readonly StoreChange[],
  verdicts: readonly StoreVerdict[],
  tell: (sha256: string) => void,
): void {
  for (const [index, change] of changes.entries()) {
    if (change.type !== "reports" || verdicts[index]?.type !== "recorded") continue;
    for (const { checkpoint } of change.reports) if (checkpoint !== undefined) tell(checkpoint.sha256);
  }
}
