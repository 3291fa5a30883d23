/**
 * Frames in words, for whoever reads a trace.
 *
 * Promise: never throws, whatever the bytes are.
 *
 * @module
 */
import { decode } from "../../shared/protocol/codec.ts";
import { isRecord } from "../../shared/space/problem.ts";

/** Envelopes of one kind that are written out; of more only the count. */
const WRITTEN_MAX = 6;

/** What a frame says: its envelopes with their leases, without what is only forwarded. */
export function wordsOf(frame: Uint8Array): string {
  let envelopes: unknown;
  try {
    envelopes = decode(frame);
  } catch {
    return `${frame.byteLength} bytes that are no msgpack`;
  }
  if (!Array.isArray(envelopes)) return `${frame.byteLength} bytes that are no list`;
  const kinds = new Map<string, string[]>();
  for (const each of envelopes) {
    if (!isRecord(each)) continue;
    const type = String(each["type"]);
    const written = kinds.get(type) ?? [];
    written.push(envelopeWords(each));
    kinds.set(type, written);
  }
  return [...kinds].map(([type, words]) => {
    const shown = words.slice(0, WRITTEN_MAX).filter((each) => each !== "").join(", ");
    const more = words.length > WRITTEN_MAX ? ` and ${words.length - WRITTEN_MAX} more` : "";
    return `${type}${shown === "" ? "" : ` (${shown}${more})`}`;
  }).join(" + ");
}

function envelopeWords(envelope: Readonly<Record<string, unknown>>): string {
  const { type } = envelope;
  switch (type) {
    case "register":
      return `${text(envelope["worker"])} as ${text(envelope["incarnation"])}, ${
        seenWords(envelope["seen"])
      }${listed(envelope["leases"])}`;
    case "welcome":
      return `epoch ${epochWords(envelope["epoch"])}, commit ${text(envelope["commit"])}, keep ${
        text(envelope["keep"])
      }`;
    case "result":
      return `${leaseWords(envelope)} ${stateOf(envelope["end"])}`;
    case "report":
      return `${leaseWords(envelope)} step ${text(envelope["step"])}`;
    case "acknowledge":
      return `${leaseWords(envelope)} ${text(envelope["verdict"])} at ${text(envelope["commit"])}`;
    case "cancel":
      return `${leaseWords(envelope)} as ${text(envelope["reason"])}, grace ${text(envelope["graceMs"])} ms`;
    case "assign":
    case "recall":
    case "log":
      return leaseWords(envelope);
    case "heartbeat":
      return `#${text(envelope["sequence"])}`;
    case "command":
      return `${text(envelope["id"])} ${
        isRecord(envelope["command"]) ? text(envelope["command"]["kind"]) : ""
      }`;
    case "reply":
      return `${text(envelope["id"])} ${
        envelope["ok"] === true
          ? "ok"
          : isRecord(envelope["error"])
          ? text(envelope["error"]["code"])
          : "refused"
      } at ${text(envelope["commit"])}`;
    case "subscribe":
      return `${text(envelope["id"])} after ${text(envelope["after"])}, ${seenWords(envelope["seen"])}`;
    case "snapshot":
    case "change":
      return `${text(envelope["subscription"])} up to ${text(envelope["commit"])}`;
    case "refused":
      return `${text(envelope["code"])}: ${text(envelope["message"])}`;
    default:
      return "";
  }
}

/** `task#attempt`, with the number of the epoch. */
function leaseWords(lease: Readonly<Record<string, unknown>>): string {
  return `${text(lease["task"])}#${text(lease["attempt"])} of ${epochWords(lease["epoch"])}`;
}

/** An epoch's store and number; its mark says nothing to a reader. */
function epochWords(epoch: unknown): string {
  const [store = "", number = ""] = text(epoch).split(".");
  return `${store.slice(0, 4)}.${number}`;
}

function seenWords(seen: unknown): string {
  if (!isRecord(seen)) return "has seen nothing";
  return `has seen commit ${text(seen["commit"])} of ${epochWords(seen["epoch"])}`;
}

function listed(leases: unknown): string {
  if (!Array.isArray(leases) || leases.length === 0) return "";
  const words = leases.slice(0, WRITTEN_MAX).map((each) =>
    isRecord(each) ? `${leaseWords(each)} ${text(each["state"])}` : ""
  );
  const more = leases.length > WRITTEN_MAX ? ` and ${leases.length - WRITTEN_MAX} more` : "";
  return `, has ${words.join(", ")}${more}`;
}

function stateOf(end: unknown): string {
  if (!isRecord(end)) return "";
  return end["state"] === "failed" ? `failed by ${text(end["cause"])}` : text(end["state"]);
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined ? "" : JSON.stringify(value) ?? "";
}
