/**
 * What the registrar of experiments understands.
 *
 * @module
 */
import type { Ref } from "../../shared/actor/actor.ts";
import type { ExperimentSummary } from "../../shared/model/experiment.ts";
import type { CommandId, GroupId } from "../../shared/model/ids.ts";
import type { Asker, LiveMessage } from "../cluster/messages.ts";
import type { StoreAnswer } from "../store/messages.ts";

/** Commands for experiments, and what experiments tell their registrar. */
export type RegistrarMessage =
  | StoreAnswer
  | ({ readonly type: "run"; readonly id: CommandId; readonly spec: unknown } & Asker)
  /** Answers with an error of code `unknown_experiment` where the group is none of an experiment. */
  | ({ readonly type: "cancel_experiment"; readonly id: CommandId; readonly group: GroupId } & Asker)
  | ({ readonly type: "pause"; readonly id: CommandId; readonly group: GroupId } & Asker)
  | ({ readonly type: "resume"; readonly id: CommandId; readonly group: GroupId } & Asker)
  | { readonly type: "attach_feed"; readonly feed: Ref<LiveMessage> }
  | { readonly type: "experiment_changed"; readonly summary: ExperimentSummary };
