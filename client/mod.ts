/**
 * The TypeScript library: run experiments and plain tasks on a master from a program.
 *
 * @example
 * ```ts no-run
 * import { connect } from "./mod.ts";
 *
 * await using client = await connect({ dataFolder: "./espalier-data" });
 * const experiment = await client.run({
 *   name: "quick",
 *   space: { kind: "cnn", classes: 10 },
 *   budget: { trials: 20 },
 * });
 * for await (const change of experiment.changes()) console.log(change);
 * const { best } = await experiment.wait();
 * ```
 *
 * @module
 */
import { artifactTransfer } from "../shared/platform/artifact_transfer.ts";
import { webSocketDialer } from "../shared/platform/web_socket_dialer.ts";
import { Client, type ClientEvents } from "./client.ts";
import { CommandFailed } from "./command_failed.ts";
import { findMaster, freshToken, type MasterWords } from "./find_master.ts";
import type { Dialer, LinkState } from "./link_messages.ts";

export type { Change } from "../shared/model/change.ts";
export type {
  BestTrial,
  ExperimentState,
  ExperimentSummary,
  Objective,
  TrialCounts,
  TrialSummary,
} from "../shared/model/experiment.ts";
export type { ArtifactFile, ArtifactRef } from "../shared/model/artifact.ts";
export type { GroupId, TaskId } from "../shared/model/ids.ts";
export { ArtifactError, type ArtifactTransfer } from "../shared/protocol/artifact_port.ts";
export type { LiveValues, WorkerLive } from "../shared/model/live.ts";
export type { LiveEntry } from "../shared/protocol/client_envelopes.ts";
export type { SpecInput } from "../shared/protocol/spec.ts";
export { nasBench201Space } from "../shared/space/nas_bench_201.ts";
export { cnnSpace } from "../shared/space/space.ts";
export type { TaskOutcome } from "./batch_listener.ts";
export { Client, type ClientEvents, type ExperimentDetails } from "./client.ts";
export { CommandFailed } from "./command_failed.ts";
export {
  type ExperimentCallbacks,
  type ExperimentChanged,
  ExperimentHandle,
  type TrialEnded,
} from "./experiment_handle.ts";
export type { MasterWords } from "./find_master.ts";
export type { LinkState } from "./link_messages.ts";
export type { Counts, CurvePoint, Explanation, KeptCheckpoint, TaskFiles } from "./replies.ts";
export type { OutputEvent, OutputOptions, OutputPiece } from "./output_events.ts";
export type { SubmissionHandle } from "./submission.ts";
export type { SubmitOptions } from "./submit_options.ts";

/** How long the first connection may take, unless told. */
export const CONNECT_WITHIN_MS = 10_000;

/** Where to connect, and who is told about the connection. */
export interface ConnectOptions extends MasterWords, ClientEvents {
  /** How long the first connection may take; later ones are tried for ever. */
  readonly connectWithinMs?: number;
  /** Opens connections; the platform's WebSockets by default. */
  readonly dialer?: Dialer;
}

/**
 * Connects to a master.
 *
 * @returns a client once the master has taken the token and answered
 * @throws CommandFailed `unreachable`, `refused`, `no_master`, `no_token` or `insecure_master`, with what to do
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const { masters, token } = await findMaster({
    ...options,
    // A dialer of one's own decides for itself what it sends where.
    insecure: options.insecure ?? options.dialer !== undefined,
  });
  const withinMs = options.connectWithinMs ?? CONNECT_WITHIN_MS;
  let problem = "";
  const onState = (state: LinkState) => {
    if (state.type === "connecting" && state.problem !== "") problem = state.problem;
    options.onState?.(state);
  };
  const client = new Client({
    ...options,
    onState,
    masters,
    token,
    dialer: options.dialer ?? webSocketDialer({
      caCerts: options.caCerts,
      insecure: options.insecure,
      freshToken: freshToken(options),
    }),
    artifacts: artifactTransfer({
      urls: masters,
      token,
      freshToken: freshToken(options),
      caCerts: options.caCerts,
      insecure: options.insecure,
    }),
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(unreachable(masters, problem, options)), withinMs);
  });
  try {
    // An answer, not only an open socket: the master refuses with its first word.
    await Promise.race([client.workers(), timeout]);
    return client;
  } catch (error) {
    await client.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function unreachable(
  tried: readonly string[],
  problem: string,
  { masters = [], url, dataFolder }: ConnectOptions,
): CommandFailed {
  const isOfFolder = masters.length === 0 && url === undefined && dataFolder !== undefined;
  return new CommandFailed({
    code: "unreachable",
    message: `no master answers at ${tried.join(" or ")}${problem === "" ? "" : `: ${problem}`}`,
    // The folder keeps the address of its last master.
    advice: isOfFolder
      ? `where none runs over ${dataFolder} any more, start one: espalier master --data ${dataFolder}`
      : "see whether it runs, and whether the address is right",
  });
}
