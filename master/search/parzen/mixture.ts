/**
 * A Parzen estimator over the tree of a space: a density made of one kernel around each observed candidate.
 *
 * A component is a whole candidate, so the values of different sites are modelled together, options beside numbers.
 * It draws a candidate from the top of the tree down: at each site near the value that its own candidate has there, and
 * evenly where that candidate has none. So it is a density over the whole tree, conditions and lists included, and how
 * likely it makes another candidate is the product over that one's sites. One more component is even everywhere.
 *
 * Source: Bergstra, Bardenet, Bengio and Kegl (2011), "Algorithms for hyper-parameter optimization", NIPS 24, section 4;
 * bandwidths by Scott's rule with a floor: Watanabe (2023), "Tree-structured Parzen estimator: understanding its
 * algorithm components and their roles for better empirical performance", arXiv 2304.11127, section 3.3; kernels of
 * options: Aitchison and Aitken (1976), "Multivariate binary discrimination by the kernel method", Biometrika 63.
 *
 * @module
 */
import type { Random } from "../../../shared/actor/random.ts";
import type { Choose, Code } from "./coding.ts";
import type { SiteKind } from "./sites.ts";
import { drawInside, logPeak } from "./truncated_normal.ts";

/**
 * The narrowest kernel of a number is one part in as many as there are observations, and never below one in this many:
 * Watanabe's "magic clipping", which keeps a few observations close together from hiding the rest of the scale.
 */
const CLIPPING_MAX = 100;
/** How much of the even density each component of options has, as if it had been seen so often in all observations. */
const EVEN_COUNT = 1;

/** Scott's rule in one dimension: the deviation of the values times their number to this power. */
const SCOTT_EXPONENT = -1 / 5;

/** How the components spread at one site. `even` is the part of a kernel of options that is spread over all of them. */
type Kernel =
  | {
    readonly type: "options";
    readonly even: number;
    readonly logSame: number;
    readonly logOther: number;
    readonly logEven: number;
  }
  | { readonly type: "scale"; readonly deviation: number };

/** The density of some observed candidates. */
export class ParzenMixture {
  readonly #kernels: readonly Kernel[];
  readonly #count: number;
  /** The value of observation i at site s, at `i * sites + s`; NaN where it has none. */
  readonly #values: Float64Array;
  /** The logarithm of the height of the kernel around that value; for scales only. */
  readonly #peaks: Float64Array;

  constructor(observations: readonly Code[], kinds: readonly SiteKind[]) {
    this.#count = observations.length;
    this.#values = matrixOf(observations, kinds.length);
    this.#kernels = kinds.map((kind, site) => kernelOf(kind, this.#column(site, kinds.length), this.#count));
    this.#peaks = this.#values.map((value, place) => {
      const kernel = this.#kernels[place % kinds.length];
      return kernel?.type === "scale" && !Number.isNaN(value) ? logPeak(value, kernel.deviation) : 0;
    });
  }

  /**
   * What draws a candidate from the density, asked at each site that takes part; it is for one candidate, since its
   * values come from one component.
   */
  chooser(random: Random): Choose {
    const sites = this.#kernels.length;
    // One above the last is the component that is even everywhere.
    const component = random.integer(this.#count + 1);
    return (site, kind) => {
      const value = site < sites && component < this.#count
        ? this.#values[component * sites + site]
        : undefined;
      const kernel = this.#kernels[site];
      const isEven = kernel === undefined || value === undefined || Number.isNaN(value);
      if (kind.type === "options") {
        const stays = !isEven && kernel.type === "options" && random.next() >= kernel.even;
        return stays ? value : random.integer(kind.count);
      }
      return isEven || kernel.type === "options"
        ? random.next()
        : drawInside(value, kernel.deviation, random);
    };
  }

  /** The logarithm of the density at a candidate. */
  logDensity(code: Code): number {
    const logs = new Float64Array(this.#count + 1);
    let most = -Infinity;
    for (let component = 0; component <= this.#count; component++) {
      const log = this.#logComponent(component, code);
      logs[component] = log;
      if (log > most) most = log;
    }
    let sum = 0;
    for (const log of logs) sum += Math.exp(log - most);
    return most + Math.log(sum / logs.length);
  }

  /** This loop is nearly all that a proposal costs: observations times candidates times sites. */
  #logComponent(component: number, { sites, values }: Code): number {
    const row = component * this.#kernels.length;
    let log = 0;
    for (let i = 0; i < sites.length; i++) {
      const site = sites[i] ?? 0;
      const value = values[i] ?? 0;
      const kernel = this.#kernels[site];
      if (kernel === undefined) continue;
      const own = component < this.#count ? this.#values[row + site] ?? NaN : NaN;
      if (kernel.type === "options") {
        log += own === value ? kernel.logSame : Number.isNaN(own) ? kernel.logEven : kernel.logOther;
      } else if (!Number.isNaN(own)) {
        const distance = (value - own) / kernel.deviation;
        log += (this.#peaks[row + site] ?? 0) - distance * distance / 2;
      }
    }
    return log;
  }

  #column(site: number, sites: number): readonly number[] {
    const column: number[] = [];
    for (let i = 0; i < this.#count; i++) {
      const value = this.#values[i * sites + site];
      if (value !== undefined && !Number.isNaN(value)) column.push(value);
    }
    return column;
  }
}

function matrixOf(observations: readonly Code[], sites: number): Float64Array {
  const matrix = new Float64Array(observations.length * sites).fill(NaN);
  observations.forEach((code, i) => {
    code.sites.forEach((site, k) => matrix[i * sites + site] = code.values[k] ?? NaN);
  });
  return matrix;
}

/** How the components spread at a site, given the values that there are. */
function kernelOf(kind: SiteKind, column: readonly number[], observations: number): Kernel {
  if (kind.type === "scale") return { type: "scale", deviation: deviationOf(column, kind.resolution) };
  const even = EVEN_COUNT * kind.count / (observations + EVEN_COUNT * kind.count);
  const other = even / kind.count;
  return {
    type: "options",
    even,
    logSame: Math.log(1 - even + other),
    logOther: Math.log(other),
    logEven: -Math.log(kind.count),
  };
}

/** Scott's rule, with a floor. */
function deviationOf(column: readonly number[], resolution: number): number {
  const n = column.length;
  if (n === 0) return 1;
  const mean = column.reduce((sum, value) => sum + value, 0) / n;
  const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
  const floor = Math.max(1 / Math.min(n + 1, CLIPPING_MAX), resolution / 2);
  return Math.min(1, Math.max(floor, Math.sqrt(variance) * n ** SCOTT_EXPONENT));
}
