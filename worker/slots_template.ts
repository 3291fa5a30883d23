/**
 * Templates: what the tasks of a group share, decoded once for each different one.
 *
 * @module
 */
import type { TaskTemplate } from "../shared/model/task.ts";
import { decode } from "../shared/protocol/codec.ts";
import { taskTemplate } from "../shared/protocol/fields.ts";

/** So many are remembered: a worker seldom runs more groups at a time, and comparing with each costs little. */
const TEMPLATES_KEPT = 16;

interface Known {
  readonly bytes: Uint8Array;
  readonly template: TaskTemplate | string;
}

/** Decodes templates, and remembers the last ones by their bytes. */
export class Templates {
  /** The last used stands first. */
  #known: Known[] = [];

  /** @returns the template, or a sentence that says why the bytes are none */
  read(bytes: Uint8Array): TaskTemplate | string {
    const first = this.#known[0];
    if (first !== undefined && equal(first.bytes, bytes)) return first.template;
    // The copy lets go of the frame in which the bytes came.
    const found = this.#known.find((known) => equal(known.bytes, bytes)) ??
      { bytes: bytes.slice(), template: decodeTemplate(bytes) };
    this.#known = [found, ...this.#known.filter((known) => known !== found)].slice(0, TEMPLATES_KEPT);
    return found.template;
  }
}

function decodeTemplate(bytes: Uint8Array): TaskTemplate | string {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch (error) {
    return `the task's template is not msgpack: ${error instanceof Error ? error.message : String(error)}`;
  }
  const checked = taskTemplate.safeParse(value);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  return `the task's template does not fit at ${issue?.path.join(".") ?? "?"}: ${issue?.message ?? ""}`;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false;
  for (let i = 0; i < a.byteLength; i++) if (a[i] !== b[i]) return false;
  return true;
}
