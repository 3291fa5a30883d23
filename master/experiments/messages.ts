/**
 * What the registrar of experiments and the experiments understand.
 *
 * @module
 */
import type { Ref } from "../../shared/actor/actor.ts";
import type { ExperimentState, ExperimentSummary } from "../../shared/model/experiment.ts";
import type { CommandId, GroupId } from "../../shared/model/ids.ts";
import type { Spec } from "../../shared/protocol/spec.ts";
import type { Asker, ClusterMessage, ClusterToSource, LiveMessage } from "../cluster/messages.ts";
import type { StoreAnswer, StoreMessage } from "../store/messages.ts";

/** Commands for experiments, and what experiments tell their registrar. */
export type RegistrarMessage =
  | StoreAnswer
  | ({ readonly type: "run"; readonly id: CommandId; readonly spec: unknown } & Asker)
  /** Answers with an error of code `unknown_experiment` where the group is none of an experiment. */
  | ({ readonly type: "cancel_experiment"; readonly id: CommandId; readonly group: GroupId } & Asker)
  | ({ readonly type: "pause"; readonly id: CommandId; readonly group: GroupId } & Asker)
  | ({ readonly type: "resume"; readonly id: CommandId; readonly group: GroupId } & Asker)
  /** Answers how an experiment stands (`Standing`), or with an error of code `unknown_experiment`. */
  | ({ readonly type: "standing"; readonly group: GroupId } & Asker)
  | { readonly type: "attach_feed"; readonly feed: Ref<LiveMessage> }
  | {
    readonly type: "experiment_up";
    readonly group: GroupId;
    readonly experiment: Ref<ExperimentMessage>;
  }
  | { readonly type: "experiment_changed"; readonly summary: ExperimentSummary }
  /** Its code failed for good: it is parked. */
  | { readonly type: "experiment_broken"; readonly group: GroupId; readonly cause: string };

/** A user's word about an experiment. */
export type SteeringMessage = Extract<
  RegistrarMessage,
  { type: "cancel_experiment" | "pause" | "resume" }
>;

/** A user's word to an experiment. */
export type Steering = {
  readonly type: "cancel_experiment" | "pause" | "resume";
  readonly id: CommandId;
} & Asker;

/** What an experiment understands. */
export type ExperimentMessage =
  | StoreAnswer
  | ClusterToSource
  | Steering
  | { readonly type: "time_over" }
  | { readonly type: "publish" };

/** What an experiment is started with. */
export interface ExperimentOptions {
  readonly group: GroupId;
  readonly spec: Spec;
  readonly state: ExperimentState;
  readonly reason: string;
  readonly createdAtMs: number;
  readonly cluster: Ref<ClusterMessage>;
  readonly store: Ref<StoreMessage>;
  readonly registrar: Ref<RegistrarMessage>;
}
