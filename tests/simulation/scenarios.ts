/**
 * Scenarios: the interleavings in which promises are most easily broken, by name.
 *
 * Promise: a campaign counts each of them; one that never comes about fails it.
 * Not here: how they are recognised (checkers/), and the directed runs that bring each about (directed/).
 *
 * @module
 */

/** What a campaign has to reach. */
export const SCENARIOS = {
  back_running_further: "a doubtful lease was given away, and its worker came back with it running further",
  back_running_less_far: "a doubtful lease was given away, and its worker came back with it running less far",
  back_finished: "a doubtful lease was given away, and its worker came back with it completed",
  back_failed: "a doubtful lease was given away, and its worker came back with a failure",
  back_after_loss: "a worker came back after more than 30 s, when its attempts had been counted as lost",
  back_after_an_hour: "a worker came back after more than an hour",
  new_life_with_results: "a new incarnation came with results that the one before had left on its disk",
  never_received: "a worker came back without an assignment that was sent to it",
  late_frame: "a frame that was buffered in a dead session was delivered after a newer session had begun",
  close_twice: "a socket told its end twice",
  half_open: "a connection was dead in both directions and nobody was told",
  one_id_two_processes: "two living processes had one worker's id",
  power_cycle: "a machine lost its power and came back before its old connection was seen to end",
  clock_off: "a worker's clock was hours off",
  slept: "a process slept through more than the silence that makes a worker lost, and went on",
  cluster_restarted_in_process: "the cluster was restarted in its process while two attempts of a task ran",
  store_deleted: "the master came back with an empty store while workers held leases of the old one",
  store_restored: "the master came back with an older copy of its store while workers were up",
  loss_accepted: "an operator went on over an older copy, as a new store",
  cancelled_in_grace: "a session ended while a cancelled attempt was in its grace period",
  deadline_across_break: "a deadline passed while the attempt's worker had no session",
  completed_and_pruned: "one batch held a completed and a pruned result of one task",
  unknown_commit: "a commit of unknown outcome held the second result of a task",
  reply_lost: "a submission was durable, its reply was lost, and it was sent again",
  continued_elsewhere: "an attempt went on from a checkpoint that another worker had saved",
  continued_after_master_restart:
    "an attempt went on from a checkpoint that was saved under an earlier life of the master",
  both_saved: "two attempts of a task were alive and both saved checkpoints",
  returned_with_further_checkpoint:
    "a doubtful lease was given away, and its worker came back with it and with the further checkpoint",
  two_masters: "a second master took the store while the first still ran",
} as const;
export type ScenarioName = keyof typeof SCENARIOS;
