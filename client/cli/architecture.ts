/**
 * The architecture behind a candidate, for people to look at.
 *
 * @module
 */
import { describeArchitecture } from "../../shared/space/describe_architecture.ts";
import type { LayerGraph } from "../../shared/space/layer_graph.ts";
import { isRecord } from "../../shared/space/problem.ts";
import { type Candidate, compileSpace, type SearchSpace } from "../../shared/space/space.ts";

/** The layer graph that a candidate decodes to; undefined where its space has none. */
export function architectureOf(space: unknown, candidate: unknown): LayerGraph | undefined {
  const compiled = compileSpace(space);
  return compiled.ok && isCandidate(compiled.value, candidate) ? compiled.value.decode(candidate) : undefined;
}

/** The same as text. */
export function drawArchitecture(space: unknown, candidate: unknown): string | undefined {
  const graph = architectureOf(space, candidate);
  return graph === undefined ? undefined : describeArchitecture(graph);
}

/** The space in a spec as it was stored: JSON text or data. */
export function spaceOf(spec: unknown): unknown {
  const data = typeof spec === "string" ? JSON.parse(spec) : spec;
  return isRecord(data) ? data["space"] : undefined;
}

function isCandidate(space: SearchSpace, value: unknown): value is Candidate {
  return space.validate(value).length === 0;
}
