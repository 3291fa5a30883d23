/**
 * Faults: every kind that a run may meet, by name.
 *
 * Promise: a campaign counts each of them; one that never comes about fails it.
 * Not here: how often (plan.ts), what they do (nemesis.ts and the parts of the world).
 *
 * @module
 */

/** What a campaign has to meet, and what it is. */
export const FAULTS = {
  frameDelayed: "a frame took 50 ms or longer",
  framesReordered: "a frame overtook one that was sent before it by another connection",
  dialFailed: "a dial failed by chance",
  reset: "a connection was reset",
  vanish: "a connection stopped carrying anything; one side or nobody was told",
  partition: "a node, or all of them, could not be reached in either direction",
  partitionOneWay: "a node, or all of them, could not be reached in one direction",
  holdBack: "one side was told of the end while frames to the other were held back",
  idleTimeout: "a socket's idle timeout passed, and was told twice",
  slowReader: "a node did not read its sockets",
  commitSlow: "a commit took 100 ms or longer",
  commitRefused: "a commit was refused",
  commitUnanswered: "a commit was applied, and its answer was a failure",
  crashInCommit: "the master was killed between write and sync",
  journalTorn: "a worker was killed while its journal was being written",
  diskFull: "the disk was full",
  diskReadOnly: "the disk was read-only",
  diskStall: "the disk took seconds for each commit",
  storeRestored: "an older copy of the store was put back",
  storeDeleted: "the store was deleted",
  secondMaster: "a second master was started over the store",
  masterKill: "the master was killed",
  masterStop: "the master was stopped in order",
  masterPause: "the master was paused",
  workerKill: "a worker was killed",
  workerStop: "a worker was stopped in order",
  workerPause: "a worker was paused",
  clientKill: "a client was killed",
  clientPause: "a client was paused",
  machineKill: "a node was killed with its machine: its peers heard nothing",
  masterActorKill: "an actor of the master crashed",
  workerActorKill: "an actor of a worker crashed",
  clientActorKill: "an actor of a client crashed",
  clockJump: "a wall clock was set by hours",
  clockOff: "a worker began with a wall clock that was off",
  clockDrift: "a process began whose monotonic clock drifts",
  sleep: "a laptop slept: its monotonic clocks stood still",
  twin: "a second process with a living worker's id was started",
  gpuOut: "a GPU was out of service for a while",
  failed: "an evaluator failed",
  failedForGood: "an evaluator failed, for good",
  hang: "an evaluator hung",
  poison: "an evaluator took its worker along",
  ignoredStop: "an evaluator ignored that it was told to stop",
  wildReports: "an evaluator reported thousands of times, and nonsense",
  endedAtCancel: "an evaluator completed at the moment at which it was told to stop",
  endedAtDeadline: "an evaluator took exactly as long as its deadline",
} as const;
export type FaultName = keyof typeof FAULTS;
