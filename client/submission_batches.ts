/**
 * Batches: any number of payloads, cut into what one `submit` may carry.
 *
 * @module
 */
import { encode } from "../shared/protocol/codec.ts";
import { PAYLOAD_BYTES_MAX, SUBMIT_BYTES_MAX, SUBMIT_TASKS_MAX } from "../shared/protocol/limits.ts";
import type { TaskInput } from "../shared/model/task.ts";
import { CommandFailed } from "./command_failed.ts";

/** Payloads of one `submit`. */
export interface Batch {
  /** How many payloads stand in the batches before. */
  readonly first: number;
  readonly payloads: Uint8Array[];
}

/**
 * Cuts payloads into batches, each made when it is asked for.
 *
 * @throws CommandFailed where a payload is too large
 */
export function* batchesOf(payloads: Iterable<Uint8Array>): Generator<Batch> {
  let first = 0;
  let batch: Uint8Array[] = [];
  let bytes = 0;
  for (const payload of payloads) {
    const size = payload.byteLength;
    if (size > PAYLOAD_BYTES_MAX) throw tooLarge(first + batch.length, size);
    if (batch.length === SUBMIT_TASKS_MAX || bytes + size > SUBMIT_BYTES_MAX) {
      yield { first, payloads: batch };
      first += batch.length;
      batch = [];
      bytes = 0;
    }
    batch.push(payload);
    bytes += size;
  }
  if (batch.length > 0) yield { first, payloads: batch };
}

/** The payloads of inputs: each is what an evaluator gets as its candidate. */
export function* payloadsOf(inputs: Iterable<unknown>): Generator<Uint8Array> {
  for (const candidate of inputs) yield encode({ candidate } satisfies TaskInput);
}

function tooLarge(index: number, size: number): CommandFailed {
  return new CommandFailed({
    code: "payload_too_large",
    message: `input ${index} takes ${size} bytes; a payload may have ${PAYLOAD_BYTES_MAX}`,
    path: `inputs[${index}]`,
    advice: "write large data to a file and submit its path",
  });
}
