/**
 * Sites: the places in the tree of a space where something is chosen.
 *
 * An option, a number, the length of a list, whether an optional part is there: each is one site. A site inside a list
 * belongs to one place of the list, so the second layer's units are another site than the first's.
 *
 * @module
 */

/** What is chosen at a site: one of some options, which have no order, or a place on a scale. */
export type SiteKind =
  | { readonly type: "options"; readonly count: number }
  /** `resolution` is the part of the scale that each value owns; 0 for reals. */
  | { readonly type: "scale"; readonly resolution: number };

/** A node of the tree of places; a site where something is chosen there. */
export interface Place {
  readonly parts: Map<string | number, Place>;
  site: number | undefined;
}

/**
 * The sites of one space that were met so far, each with a number. They are made as candidates have them, since lists
 * inside lists have more than could ever be made; what the numbers are changes no density.
 */
export class Sites {
  readonly root: Place = { parts: new Map(), site: undefined };
  readonly #kinds: SiteKind[] = [];

  /** What is chosen at each site, by its number. */
  get kinds(): readonly SiteKind[] {
    return this.#kinds;
  }

  /** The number of the site at a place. */
  at(place: Place, kind: SiteKind): number {
    return place.site ??= this.#kinds.push(kind) - 1;
  }
}

/** A place inside another one. */
export function partOf(place: Place, name: string | number): Place {
  let part = place.parts.get(name);
  if (part === undefined) {
    part = { parts: new Map(), site: undefined };
    place.parts.set(name, part);
  }
  return part;
}
