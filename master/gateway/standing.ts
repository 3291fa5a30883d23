/**
 * How an experiment stands, from those who know it while it runs: added to what the store and the cluster answer.
 *
 * @module
 */
import type { ExperimentSummary } from "../../shared/model/experiment.ts";
import type { CommandReply, Standing } from "../cluster/messages.ts";
import { isRecord } from "../../shared/space/problem.ts";

/** The standing in a reply of the registrar's; undefined where it knows of no such experiment. */
export function standingOf(reply: CommandReply): Standing | undefined {
  if (!reply.ok || !isRecord(reply.value)) return undefined;
  const { state, reason } = reply.value;
  return typeof state === "string" && typeof reason === "string" ? { state, reason } : undefined;
}

/** The stored summary, with why nothing of it runs where the store has no word about that. */
export function withReason(summary: ExperimentSummary, standing: Standing | undefined): ExperimentSummary {
  const saysNothing = summary.state === "running" && summary.reason === "";
  return saysNothing && standing?.state === "running" ? { ...summary, reason: standing.reason } : summary;
}

/** Whether an explanation depends on how the task's experiment stands: it has not proposed it, or never will. */
export function dependsOnStanding(reply: CommandReply): boolean {
  if (!reply.ok) return reply.error.code === "unknown_task";
  return isRecord(reply.value) && reply.value.state === NOT_PROPOSED;
}

const NOT_PROPOSED = "not proposed";

/** An explanation, where the experiment's own standing says more than the cluster can. */
export function explained(reply: CommandReply, task: string, standing: Standing | undefined): CommandReply {
  if (standing === undefined || (standing.state === "running" && reply.ok)) return reply;
  const commit = reply.ok ? reply.commit : 0;
  const reason = standing.reason === "" ? "" : `: ${standing.reason}`;
  // One that runs and that the cluster does not know reads its history, or begins again after a crash.
  const state = standing.state === "running" ? "being read from the store" : standing.state;
  const explanation = `its experiment has not proposed it and is ${state}${reason}`;
  return { ok: true, value: { task, state: NOT_PROPOSED, explanation }, commit };
}
