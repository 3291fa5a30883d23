/**
 * Seeded randomness: the same seed gives the same stream on every machine.
 *
 * Promise: a stream depends on its seed alone, never on who else draws.
 * Not here: secrets. Tokens and epoch marks come from the platform's cryptographic source.
 *
 * @module
 */

/** A stream of pseudo-random numbers. */
export interface Random {
  /** A real number in [0, 1). */
  next(): number;
  /** An integer in [0, bound). */
  integer(bound: number): number;
  /** A draw from the standard normal distribution. */
  normal(): number;
  /** One element of a list that is not empty. */
  pick<T>(items: readonly T[]): T;
}

/**
 * A stream for a seed made of any number of parts, such as (experiment seed, trial number, try).
 *
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand), seeded by a 128-bit string hash (cyrb128, bryc).
 */
export function seededRandom(...seed: readonly (number | string)[]): Random {
  let [a, b, c, d] = hashSeed(seed.map(String).join("\u0000"));
  function word(): number {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  }
  // The first words still show the seed's structure; PractRand discards a dozen.
  for (let i = 0; i < 12; i++) word();
  return fromWords(word);
}

function fromWords(word: () => number): Random {
  const random: Random = {
    next: () => ((word() >>> 5) * 0x4000000 + (word() >>> 6)) / 0x20000000000000,
    integer: (bound) => Math.floor(random.next() * bound),
    normal: () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next()),
    pick: <T>(items: readonly T[]): T => {
      const item = items[random.integer(items.length)];
      if (item === undefined) throw new RangeError("pick needs a list that is not empty");
      return item;
    },
  };
  return random;
}

function hashSeed(text: string): [number, number, number, number] {
  let h1 = 1779033703, h2 = 3144134277, h3 = 1013904242, h4 = 2773480762;
  for (let i = 0; i < text.length; i++) {
    const k = text.charCodeAt(i);
    h1 = h2 ^ Math.imul(h1 ^ k, 597399067);
    h2 = h3 ^ Math.imul(h2 ^ k, 2869860233);
    h3 = h4 ^ Math.imul(h3 ^ k, 951274213);
    h4 = h1 ^ Math.imul(h4 ^ k, 2716044179);
  }
  h1 = Math.imul(h3 ^ (h1 >>> 18), 597399067);
  h2 = Math.imul(h4 ^ (h2 >>> 22), 2869860233);
  h3 = Math.imul(h1 ^ (h3 >>> 17), 951274213);
  h4 = Math.imul(h2 ^ (h4 >>> 19), 2716044179);
  h1 ^= h2 ^ h3 ^ h4;
  return [h1, h2 ^ h1, h3 ^ h1, h4 ^ h1];
}
