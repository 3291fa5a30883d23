/**
 * Why something that a client asked for was not done.
 *
 * @module
 */
import type { CommandError } from "../shared/protocol/client_envelopes.ts";

/**
 * A command was refused, or nobody could be asked.
 *
 * `code` is for programs (`unknown_experiment`, `forbidden`, `unreachable`, `refused`, `closed`, ...); `message`, `path`
 * and `advice` say what is wrong, where, and what to do.
 */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  readonly code: string;
  /** Where in the command; empty where it is about the whole. */
  readonly path: string;
  readonly advice: string;
  /** After so long it makes sense to ask again; null where it does not. */
  readonly retryAfterMs: number | null;

  constructor(
    { code, message, path = "", advice = "", retryAfterMs = null }:
      & Pick<CommandError, "code" | "message">
      & Partial<Pick<CommandError, "path" | "advice" | "retryAfterMs">>,
  ) {
    super(message);
    this.code = code;
    this.path = path;
    this.advice = advice;
    this.retryAfterMs = retryAfterMs;
  }

  /** All of it on one line. */
  get sentence(): string {
    const at = this.path === "" || this.path.startsWith("command") ? "" : `${this.path}: `;
    return `${at}${this.message}${this.advice === "" ? "" : `; ${this.advice}`}`;
  }
}

/** The master's answer is not what this library knows. */
export function unexpectedReply(kind: string): CommandFailed {
  return new CommandFailed({
    code: "unexpected_reply",
    message: `the master answered "${kind}" in a form that this client does not know`,
    advice: "bring client and master to the same version",
  });
}
