/**
 * What the worker and the harness say to each other: JSON, one message a frame.
 *
 * The harness runs in a process of its own that may read nothing of the worker, so this room imports nothing from
 * outside of itself, types excepted.
 *
 * @module
 */

/** Worker to harness, once, first. */
export interface Begin {
  /** Marks the harness's frames; evaluators never see it. Hexadecimal. */
  readonly mark: string;
  /** The evaluator's module, as a `file:` URL. */
  readonly module: string;
  /** Its folder, as a `file:` URL that ends with a slash. */
  readonly folder: string;
  /** A folder that the process may write to, absolute; empty where there is none. */
  readonly scratch: string;
}

/** A checkpoint, as a file or folder in the scratch folder. */
export interface Restored {
  readonly step: number;
  /** Its name, from the scratch folder on. */
  readonly file: string;
}

/** What an evaluator kept, as a file in the scratch folder. */
export type Kept =
  | { readonly type: "checkpoint"; readonly id: number; readonly step: number; readonly file: string }
  | { readonly type: "file"; readonly id: number; readonly name: string; readonly file: string };

/** Worker to harness: one attempt. The next is sent only after this one was answered. */
export interface Evaluate {
  /** Of this attempt alone, from 1. */
  readonly id: number;
  readonly candidate: unknown;
  readonly architecture?: unknown;
  readonly seed: number;
  readonly trial: number;
  readonly attempt: number;
  readonly restored?: Restored | undefined;
}

/** Why something did not work, in words. */
export interface Failure {
  readonly message: string;
  readonly stack?: string | undefined;
  readonly final: boolean;
}

/** Harness to worker. */
export type Answer =
  /** The module is there and exports `evaluate`. */
  | { readonly type: "loaded" }
  | ({ readonly type: "unloadable" } & Failure)
  | {
    readonly type: "report";
    readonly id: number;
    readonly step: number;
    readonly metrics: Readonly<Record<string, number>>;
  }
  | Kept
  | {
    readonly type: "completed";
    readonly id: number;
    readonly metrics: Readonly<Record<string, number>>;
    /** The evaluator had been asked to stop. */
    readonly aborted: boolean;
    /** The end of its prints is marked in standard error. */
    readonly marked: boolean;
  }
  | ({
    readonly type: "failed";
    readonly id: number;
    readonly aborted: boolean;
    readonly marked: boolean;
    /** The evaluator may still be at work: the process must not be used again. */
    readonly spent: boolean;
  } & Failure);
