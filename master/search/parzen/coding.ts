/**
 * Candidates as numbers, one for each site that takes part in them: what densities are built over.
 *
 * An option is its index, a length is how much it is above the shortest, a number is its place in [0, 1] on its own
 * scale. A site that does not take part has no value.
 *
 * @module
 */
import type { Candidate, Value } from "../../../shared/space/candidate.ts";
import {
  type ChoiceNode,
  type GroupNode,
  type IntegerNode,
  isActive,
  isCandidate,
  isList,
  memberOf,
  optionOf,
  type RealNode,
  type Scope,
  type SpaceNode,
} from "../../../shared/space/node.ts";
import { fromUnit, toUnit } from "../../../shared/space/number_range.ts";
import { partOf, type Place, type SiteKind, Sites } from "./sites.ts";

/** A candidate's values: `values[i]` at the site with the number `sites[i]`, in the order of the tree. */
export interface Code {
  readonly sites: readonly number[];
  readonly values: readonly number[];
}

/** Says what is chosen at a site: the index of an option, or a place in [0, 1]. */
export type Choose = (site: number, kind: SiteKind) => number;

/** Turns candidates of one space into codes, and choices into candidates. */
export class SpaceCoding {
  readonly sites = new Sites();
  readonly #space: GroupNode;

  constructor(space: GroupNode) {
    this.#space = space;
  }

  /** The code of a valid candidate. */
  encode(candidate: Candidate): Code {
    const code = { sites: [], values: [] };
    encodeNode(this.#space, candidate, this.sites.root, { all: this.sites, ...code });
    return code;
  }

  /** The candidate that comes of asking what to choose at each site that takes part. */
  draw(choose: Choose): Candidate {
    const draw = { choose: (place: Place, kind: SiteKind) => choose(this.sites.at(place, kind), kind) };
    return drawGroup(this.#space, this.sites.root, draw, undefined);
  }
}

interface Encoding {
  readonly all: Sites;
  readonly sites: number[];
  readonly values: number[];
}

function encodeNode(node: SpaceNode, value: Value, place: Place, to: Encoding): void {
  switch (node.type) {
    case "choice": {
      const option = optionOf(node, value);
      if (option === undefined) return;
      const index = node.options.indexOf(option);
      note(place, kindOf(node), index, to);
      const inner = isCandidate(value) ? memberOf(value, String(option.key)) : undefined;
      if (option.of !== undefined && inner !== undefined) {
        encodeNode(option.of, inner, partOf(place, index), to);
      }
      return;
    }
    case "integer":
    case "real":
      if (typeof value === "number" && !isFixed(node)) note(place, kindOf(node), toUnit(node, value), to);
      return;
    case "repeat":
      if (!isList(value)) return;
      note(place, kindOf(node), value.length - node.min, to);
      value.forEach((item, index) => encodeNode(node.of, item, partOf(place, index), to));
      return;
    case "optional":
      note(place, kindOf(node), value === null ? 0 : 1, to);
      if (value !== null) encodeNode(node.of, value, partOf(place, 1), to);
      return;
    case "group":
      if (!isCandidate(value)) return;
      for (const member of node.members) {
        const inner = memberOf(value, member.name);
        if (inner !== undefined) encodeNode(member.node, inner, partOf(place, member.name), to);
      }
  }
}

function note(place: Place, kind: SiteKind, value: number, to: Encoding): void {
  to.sites.push(to.all.at(place, kind));
  to.values.push(value);
}

interface Drawing {
  choose(place: Place, kind: SiteKind): number;
}

function drawGroup(group: GroupNode, place: Place, draw: Drawing, outer: Scope | undefined): Candidate {
  const values: Record<string, Value> = {};
  const scope = { values, outer };
  for (const member of group.members) {
    if (!isActive(member, scope)) continue;
    values[member.name] = drawNode(member.node, partOf(place, member.name), draw, scope);
  }
  return values;
}

function drawNode(node: SpaceNode, place: Place, draw: Drawing, scope: Scope): Value {
  switch (node.type) {
    case "choice": {
      const index = draw.choose(place, kindOf(node));
      const option = node.options[index];
      if (option === undefined) throw new RangeError(`a choice has no option ${index}`);
      if (option.of === undefined) return option.key;
      return { [String(option.key)]: drawGroup(option.of, partOf(place, index), draw, scope) };
    }
    case "integer":
    case "real":
      return isFixed(node) ? node.min : fromUnit(node, draw.choose(place, kindOf(node)));
    case "repeat": {
      const length = node.min + draw.choose(place, kindOf(node));
      return Array.from({ length }, (_, index) => drawNode(node.of, partOf(place, index), draw, scope));
    }
    case "optional":
      return draw.choose(place, kindOf(node)) === 0 ? null : drawNode(node.of, partOf(place, 1), draw, scope);
    case "group":
      return drawGroup(node, place, draw, scope);
  }
}

function kindOf(node: Exclude<SpaceNode, GroupNode>): SiteKind {
  switch (node.type) {
    case "choice":
      return { type: "options", count: (node satisfies ChoiceNode).options.length };
    case "repeat":
      return { type: "options", count: node.max - node.min + 1 };
    case "optional":
      return { type: "options", count: 2 };
    case "integer":
      return { type: "scale", resolution: 1 / node.count };
    case "real":
      return { type: "scale", resolution: 0 };
  }
}

/** A number with one value only is nothing to choose. */
function isFixed(node: IntegerNode | RealNode): boolean {
  return node.type === "real" ? node.min === node.max : node.count === 1;
}
