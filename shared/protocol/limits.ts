/**
 * Every limit and interval of the protocol, in one place.
 *
 * @module
 */

/** The WebSocket subprotocol: its number is the major version. Peers of another major version are refused. */
export const SUBPROTOCOL = "espalier.1";
/** The path of the socket. */
export const SOCKET_PATH = "/socket";
/** On every answer about artifacts: it is the master that speaks, and no other web server in its place. */
export const ARTIFACT_ANSWER_HEADER = "espalier-artifacts";
/** How many bytes of an unfinished upload are there. */
export const UPLOAD_OFFSET_HEADER = "upload-offset";
/** What this code speaks. The minor number rises with additions that older peers may ignore. */
export const PROTOCOL_VERSION = { major: 1, minor: 0 } as const;

/** A frame is one binary WebSocket message. A socket would take 64 MiB, but one frame must not hold up the others. */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024;
/** Envelopes in one frame. */
export const FRAME_ENVELOPES_MAX = 1_024;
/** Levels of arrays and maps in one frame. A spec may nest 100; the frame and its envelope are three more. */
export const FRAME_LEVELS_MAX = 128;
/** A task's payload or template; what is larger travels as an artifact. */
export const PAYLOAD_BYTES_MAX = 256 * 1024;
/** Tasks in one `submit`. */
export const SUBMIT_TASKS_MAX = 1_000;
/** All payloads of one `submit`: the frame's limit less what stands around them. */
export const SUBMIT_BYTES_MAX = FRAME_BYTES_MAX - 256 * 1024;
/** Any text for people: a message, a reason. */
export const TEXT_LENGTH_MAX = 4_096;
/** A stack trace. */
export const STACK_LENGTH_MAX = 16_384;
/** Metrics of one report or result. */
export const METRICS_MAX = 256;
/** The length of a metric's name. */
export const METRIC_NAME_MAX = 200;
/** No metric can be called so: a frame with such a key is no frame to its reader. */
export const METRIC_NAME_REFUSED = "__proto__";
/** Labels of a worker, and those that a task asks for. */
export const LABELS_MAX = 256;
/** Bytes of an evaluator's output in one `log`. */
export const LOG_BYTES_MAX = 64 * 1024;
/** Slots of one worker. */
export const SLOTS_MAX = 4_096;
/** Leases that a worker can bring along: all its slots, what was prefetched, and results that wait. */
export const REGISTER_LEASES_MAX = 100_000;
/** Rows in one answer. */
export const PAGE_ROWS_MAX = 1_000;
/** A spec, as JSON. */
export const SPEC_BYTES_MAX = 1024 * 1024;

/** A peer must say who it is within this time after its connection. */
export const REGISTER_WITHIN_MS = 5_000;
/** How often each side says that it is there. */
export const HEARTBEAT_DEFAULT_MS = 10_000;
/** After so many heartbeat intervals without a word, a worker's leases become doubtful. */
export const DOUBT_INTERVALS = 1.5;
/** After so many heartbeat intervals without a word, either side leaves the session. */
export const LEAVE_INTERVALS = 2.5;
/** After this silence a doubtful attempt ends as `worker_lost`. */
export const LOST_DEFAULT_MS = 30_000;
/** The socket's own idle timeout, only a backstop: it must be longer than the silence that ends a session. */
export const SOCKET_IDLE_SECONDS = 120;
/** How long the older of two processes with one worker id has to show that it is alive. */
export const RIVAL_ANSWER_MS = 2_000;
/** A WebSocket's close reason holds 123 bytes; a longer one throws. */
export const CLOSE_REASON_BYTES_MAX = 123;

/** Close codes. 4000 to 4099: come again later. 4100 and above: a person must act. */
export const CLOSE = {
  bye: { code: 1000, name: "bye" },
  silent: { code: 4000, name: "silent" },
  replaced: { code: 4001, name: "replaced" },
  restarting: { code: 4002, name: "restarting" },
  too_slow: { code: 4003, name: "too_slow" },
  busy: { code: 4004, name: "busy" },
  expired: { code: 4005, name: "expired" },
  malformed: { code: 4100, name: "malformed" },
  too_large: { code: 4101, name: "too_large" },
  version: { code: 4102, name: "version" },
  unauthorized: { code: 4103, name: "unauthorized" },
  rival: { code: 4104, name: "rival" },
  not_registered: { code: 4105, name: "not_registered" },
  store_lost: { code: 4106, name: "store_lost" },
  stopped: { code: 4107, name: "stopped" },
} as const;
export type CloseName = keyof typeof CLOSE;

/** Whether whoever was closed with this code should come again by itself. */
export function mayReturn(code: number): boolean {
  return code < 4100;
}
