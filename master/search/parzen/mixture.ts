/**
 * A Parzen estimator over the tree of a space: a density made of one component around each observed candidate.
 *
 * A component is a whole candidate, so the values of different sites are modelled together, options beside numbers.
 * It draws a candidate from the top of the tree down: at each site near the value that its own candidate has there, and
 * evenly where that candidate has none. So it is a density over the whole tree, conditions and lists included, and what
 * it has at another candidate is the product over that one's sites. One more component is even everywhere.
 *
 * Source: Bergstra, Bardenet, Bengio and Kegl (2011), "Algorithms for hyper-parameter optimization", NIPS 24, section 4;
 * components of several dimensions: Falkner, Klein and Hutter (2018), "BOHB", ICML, section 3.2.
 *
 * @module
 */
import type { Random } from "../../../shared/actor/random.ts";
import type { Choose, Code } from "./coding.ts";
import { ABSENT, drawEven, kernelsOf, logEven, type SiteKernels } from "./kernels.ts";
import type { SiteKind } from "./sites.ts";

/** The density of some observed candidates. */
export class ParzenMixture {
  readonly #kinds: readonly SiteKind[];
  readonly #kernels: readonly SiteKernels[];
  readonly #count: number;

  constructor(observations: readonly Code[], kinds: readonly SiteKind[]) {
    this.#kinds = kinds.slice();
    this.#count = observations.length;
    const columns = columnsOf(observations, kinds.length);
    this.#kernels = kinds.map((kind, site) => kernelsOf(kind, columns[site] ?? new Float64Array(0)));
  }

  /**
   * What draws a candidate, asked at each site that takes part in it. It is for one candidate, since all of its values
   * come from one component.
   */
  chooser(random: Random): Choose {
    // One above the last is the component that is even everywhere.
    const component = random.integer(this.#count + 1);
    return (site, kind) => {
      const kernels = component < this.#count ? this.#kernels[site] : undefined;
      return kernels === undefined ? drawEven(kind, random) : kernels.draw(component, random);
    };
  }

  /**
   * The logarithm of the density at a candidate. Nearly all that a proposal costs is here: observations times sites,
   * for each candidate. Sites that no observation was ever at are passed over: they are even in every density.
   */
  logDensity({ sites, values }: Code): number {
    const logs = new Float64Array(this.#count);
    let even = 0;
    sites.forEach((site, i) => {
      const kind = this.#kinds[site];
      if (kind === undefined) return;
      this.#kernels[site]?.addLogs(values[i] ?? 0, logs);
      even += logEven(kind);
    });
    // Taken out of the sum, so that the largest of the powers is 1 and none is lost.
    let most = even;
    for (const log of logs) most = Math.max(most, log);
    let sum = Math.exp(even - most);
    for (const log of logs) sum += Math.exp(log - most);
    return most + Math.log(sum / (this.#count + 1));
  }
}

/** For each site, the value of each observation. */
function columnsOf(observations: readonly Code[], sites: number): readonly Float64Array[] {
  const columns = Array.from({ length: sites }, () => new Float64Array(observations.length).fill(ABSENT));
  observations.forEach((code, i) => {
    for (let k = 0; k < code.sites.length; k++) {
      const column = columns[code.sites[k] ?? 0];
      if (column !== undefined) column[i] = code.values[k] ?? ABSENT;
    }
  });
  return columns;
}
