/**
 * What the room of artifacts answers, in its own words: HTTP has others (gateway/http_artifacts.ts).
 *
 * @module
 */

/** Why something was not done. */
export interface Refusal {
  readonly state: "refused";
  /**
   * `busy`: come again. `under_way`: another upload of the same artifact is on its way. `offset`: `from` says where to go
   * on. `too_large`, `wrong_size`, `wrong_hash`: a mistake. `no_room`: the disk or a limit is full. `stalled`: nothing came
   * for too long. `broken`: the disk failed.
   */
  readonly reason:
    | "busy"
    | "under_way"
    | "offset"
    | "too_large"
    | "wrong_size"
    | "wrong_hash"
    | "no_room"
    | "stalled"
    | "broken";
  /** For people: what, and how to mend it. */
  readonly message: string;
  /** Bytes that are there of an unfinished upload. */
  readonly from?: number | undefined;
}

/** What became of an upload, or would. */
export type UploadAnswer =
  /** It was there before; it counts as young again. */
  | { readonly state: "there" }
  /** It is whole, its hash is right, and it is durable. */
  | { readonly state: "kept" }
  /** So many bytes are there: the next one is to be sent. */
  | { readonly state: "unfinished"; readonly from: number }
  | Refusal;

/** Says no. */
export function refusal(reason: Refusal["reason"], message: string, from?: number): Refusal {
  return { state: "refused", reason, message, from };
}

/** What a fault of the disk means for whoever wanted to write. */
export function diskRefusal(error: unknown): Refusal {
  const message = error instanceof Error ? error.message : String(error);
  return isFull(error)
    ? refusal("no_room", `the master's disk is full: ${message}`)
    : refusal("broken", `the master's disk failed: ${message}`);
}

/** Whether a disk, a quota or a limit of files is full. */
export function isFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /no space left|quota exceeded|file too large|ENOSPC|EDQUOT|EFBIG/i.test(error.message);
}
