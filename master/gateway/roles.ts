/**
 * Roles: what the bearer of a token may do.
 *
 * Promise: every command has exactly one role that suffices for it; a higher role may do what a lower one may.
 * Not here: tokens (tokens.ts), what a session does with a command that is not allowed (commands.ts).
 *
 * @module
 */
import type { CommandBody } from "../../shared/protocol/client_envelopes.ts";

/** `worker` stands apart: it may register and run attempts, and it may not command. */
export const ROLES = ["admin", "submit", "worker", "view"] as const;
export type Role = (typeof ROLES)[number];
/** The roles of those who watch and steer. */
export type ClientRole = Exclude<Role, "worker">;

const RANK: Readonly<Record<ClientRole, number>> = { view: 0, submit: 1, admin: 2 };

const SUFFICES: Readonly<Record<CommandBody["kind"], ClientRole>> = {
  submit: "submit",
  run: "submit",
  cancel: "submit",
  pause: "submit",
  resume: "submit",
  stop: "admin",
  backup: "admin",
  experiments: "view",
  experiment: "view",
  trials: "view",
  counts: "view",
  curve: "view",
  files: "view",
  workers: "view",
  explain: "view",
};

/** The lowest role that may give this command. */
export function roleFor(kind: CommandBody["kind"]): ClientRole {
  return SUFFICES[kind];
}

/** Whether a role may do what another one suffices for. */
export function mayAct(role: ClientRole, suffices: ClientRole): boolean {
  return RANK[role] >= RANK[suffices];
}
