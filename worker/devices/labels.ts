/**
 * What a worker is labelled with by itself.
 *
 * @module
 */
import type { Device } from "../../shared/model/devices.ts";
import { LABELS_MAX } from "../../shared/protocol/limits.ts";
import type { WorkerFacts } from "../../shared/protocol/worker_envelopes.ts";

/** The longest name or value of a label. */
const PART_MAX = 80;

/**
 * Labels of a machine: `os`, `arch`, `host`, and `gpu` for each word of the names of its devices, such as `gpu=a100` of an
 * NVIDIA A100-SXM4-80GB.
 *
 * @param own labels that its user gave it: they go first, and none is left out
 */
export function labelsOf(
  facts: Pick<WorkerFacts, "hostname" | "os" | "arch">,
  devices: readonly Pick<Device, "name">[],
  own: readonly string[],
): readonly string[] {
  const labels = new Set(own);
  add(labels, "os", facts.os);
  add(labels, "arch", facts.arch);
  add(labels, "host", facts.hostname);
  for (const { name } of devices) {
    for (const word of name.split(/\s+/)) {
      for (const part of [word, ...word.split("-")]) add(labels, "gpu", part);
    }
  }
  return [...labels].slice(0, LABELS_MAX);
}

/** What no label can hold is left out of it. */
function add(labels: Set<string>, name: string, text: string): void {
  const value = text.toLowerCase().replace(/[^a-z0-9._-]/g, "").replace(/^[._-]+/, "").slice(0, PART_MAX);
  if (value !== "") labels.add(`${name}=${value}`);
}
