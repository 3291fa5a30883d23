/**
 * The digits and their split into a part to learn from, a part to choose by, and a part to be judged by.
 *
 * Promise: the split is the same on every machine and in every trial, and every digit has its share of each part.
 *
 * @module
 */
import { seededRandom, shuffle } from "./random.ts";
import { type Vector, zeros } from "./vector.ts";

/** Images with their labels. */
export interface Dataset {
  readonly count: number;
  /** 64 pixels an image, row after row, each in [0, 1]. */
  readonly images: Vector;
  readonly labels: Uint8Array;
}

/** The three parts. A search sees the first two only. */
export interface Split {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
}

/** Pixels of an image, 8 x 8. */
export const PIXELS = 64;
/** The digits 0 to 9. */
export const CLASSES = 10;
/** Pixels in the file are counts of set dots in a 4 x 4 block. */
const BRIGHTEST = 16;

/** Part of each digit's images, in order: train, validation, and the rest for the test. */
const SHARES = [0.6, 0.2] as const;
/** Never changed, or results before and after could not be compared. */
const SPLIT_SEED = 1797;

/** Reads the digits from the file beside this module. */
export async function readDigits(): Promise<Dataset> {
  const packed = await Deno.readFile(new URL("./digits.csv.gz", import.meta.url));
  const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")))
    .text();
  return parseDigits(text);
}

/**
 * Digits from lines of 64 pixel values and a label, separated by commas.
 *
 * @throws Error that names the first line of another form
 */
export function parseDigits(text: string): Dataset {
  const lines = text.trimEnd().split("\n");
  const images = zeros(lines.length * PIXELS), labels = new Uint8Array(lines.length);
  for (const [row, line] of lines.entries()) {
    const numbers = line.split(",").map(Number);
    const label = numbers.pop() ?? NaN;
    const isDigit = Number.isInteger(label) && label >= 0 && label < CLASSES;
    if (
      !isDigit || numbers.length !== PIXELS || numbers.some((value) => !(value >= 0 && value <= BRIGHTEST))
    ) {
      throw new Error(
        `line ${row + 1} of the digits is not ${PIXELS} pixels from 0 to ${BRIGHTEST} and a label`,
      );
    }
    images.set(numbers.map((value) => value / BRIGHTEST), row * PIXELS);
    labels[row] = label;
  }
  return { count: lines.length, images, labels };
}

/** Splits the digits, each class by the same shares. */
export function splitDigits(digits: Dataset): Split {
  const train: number[] = [], validation: number[] = [], test: number[] = [];
  for (let label = 0; label < CLASSES; label++) {
    const rows = new Uint32Array(digits.count).map((_, row) => row).filter((row) =>
      digits.labels[row] === label
    );
    shuffle(rows, seededRandom(SPLIT_SEED, `split ${label}`));
    const first = Math.round(rows.length * SHARES[0]);
    const second = Math.round(rows.length * (SHARES[0] + SHARES[1]));
    train.push(...rows.subarray(0, first));
    validation.push(...rows.subarray(first, second));
    test.push(...rows.subarray(second));
  }
  return { train: select(digits, train), validation: select(digits, validation), test: select(digits, test) };
}

/** Two datasets as one. */
export function join(first: Dataset, second: Dataset): Dataset {
  const images = zeros(first.images.length + second.images.length);
  images.set(first.images);
  images.set(second.images, first.images.length);
  const labels = new Uint8Array([...first.labels, ...second.labels]);
  return { count: labels.length, images, labels };
}

function select(digits: Dataset, rows: readonly number[]): Dataset {
  const images = zeros(rows.length * PIXELS), labels = new Uint8Array(rows.length);
  for (const [place, row] of rows.entries()) {
    images.set(digits.images.subarray(row * PIXELS, (row + 1) * PIXELS), place * PIXELS);
    labels[place] = digits.labels[row] ?? NaN;
  }
  return { count: rows.length, images, labels };
}
