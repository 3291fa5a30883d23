/**
 * Why a command was not carried out, in words for the person who gave it.
 *
 * @module
 */
import type { CommandBody, CommandError } from "../../shared/protocol/client_envelopes.ts";
import type { CommandReply } from "../cluster/messages.ts";
import type { StoreError } from "../store/store.ts";
import type { ClientRole } from "./roles.ts";

/** When to try again after too many commands at once: a group commit takes a few milliseconds. */
const BUSY_RETRY_MS = 100;
/** When to try again after the store failed: it is reopened within a second or so. */
const STORE_RETRY_MS = 1_000;

/** A reply that says why not. */
export function failure(error: CommandError): CommandReply {
  return { ok: false, error };
}

/** The role does not suffice. */
export function forbidden(kind: CommandBody["kind"], role: ClientRole, suffices: ClientRole): CommandReply {
  return failure({
    code: "forbidden",
    message: `a token of role ${role} may not ${kind}`,
    path: "command.kind",
    advice: `use a token of role ${suffices}${suffices === "admin" ? "" : " or admin"}`,
    retryAfterMs: null,
  });
}

/** The session has to wait. */
export function tooManyCommands(limit: number): CommandReply {
  return failure({
    code: "busy",
    message: `${limit} commands of this session wait for their answers`,
    path: "",
    advice: "wait for answers before you send more",
    retryAfterMs: BUSY_RETRY_MS,
  });
}

/** The answer is late, and whoever asked is told so. @param trouble why the store cannot be relied on, where that is known */
export function late(kind: "question" | "change", waitedMs: number, trouble: string): CommandReply {
  const why = trouble === "" ? "the store is slow" : trouble;
  const waited = `${waitedMs / 1_000} s`;
  return failure(
    kind === "question"
      ? {
        code: "no_answer",
        message: `the store has not answered for ${waited}: ${why}`,
        path: "",
        advice: "see /ready of the master; try again",
        retryAfterMs: STORE_RETRY_MS,
      }
      : {
        // A client sends the same command again by itself, and it is carried out once.
        code: "not_ready",
        message: `it is not durable after ${waited}, and may still be: ${why}`,
        path: "",
        advice: "send the same command again later: it is carried out once",
        retryAfterMs: STORE_RETRY_MS,
      },
  );
}

/** Nobody answers any more: there is nothing to gain by asking more. */
export function stuck(trouble: string): CommandReply {
  return failure({
    code: "busy",
    message: `too many commands have no answer: ${trouble === "" ? "the store is slow" : trouble}`,
    path: "",
    advice: "see /ready of the master; try again later",
    retryAfterMs: STORE_RETRY_MS,
  });
}

/** The spec would overflow whoever reads it. */
export function tooDeep(levelsMax: number): CommandReply {
  return failure({
    code: "bad_spec",
    message: `the spec nests over ${levelsMax} levels deep`,
    path: "command.spec",
    advice: "see docs/spec.md",
    retryAfterMs: null,
  });
}

/** There is no such experiment. */
export function unknownExperiment(name: string): CommandError {
  const message = name === "last" ? "there is no experiment yet" : `there is no experiment "${name}"`;
  const advice = name === "last"
    ? "start one: espalier run SPEC"
    : "see which there are: espalier experiments";
  return { code: "unknown_experiment", message, path: "command.experiment", advice, retryAfterMs: null };
}

/** There are no tasks of that group. */
export function unknownGroup(group: string): CommandError {
  return {
    code: "unknown_group",
    message: `no task was submitted as "${group}"`,
    path: "command.group",
    advice: "see which experiments there are: espalier experiments",
    retryAfterMs: null,
  };
}

/** There is no such task. */
export function unknownTask(task: string): CommandError {
  return {
    code: "unknown_task",
    message: `there is no task "${task}"`,
    path: "command.task",
    advice: "see which experiments there are: espalier experiments",
    retryAfterMs: null,
  };
}

/** There is no copy: the store says what to do about it. */
export function backupFailed(error: StoreError): CommandError {
  return {
    code: "backup_failed",
    message: error.message,
    path: "command.path",
    advice: "",
    retryAfterMs: null,
  };
}

/** The store did not answer. */
export function storeFailed(error: StoreError): CommandError {
  const passes = error.kind === "fault";
  return {
    code: passes ? "store_fault" : `store_${error.kind}`,
    message: `the store could not answer: ${error.message}`,
    path: "",
    advice: passes ? "see /ready of the master; try again" : "a person must look at the master",
    retryAfterMs: passes ? STORE_RETRY_MS : null,
  };
}
