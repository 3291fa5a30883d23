/**
 * Numbers as people read them.
 *
 * @module
 */

/** What stands where nothing is known. */
export const NOTHING = "–";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** Memory, such as `1.5 GiB`. */
export function bytes(value: number): string {
  return value >= GIB ? `${(value / GIB).toFixed(1)} GiB` : `${Math.round(value / MIB)} MiB`;
}

/** A count with thousands set apart. */
export function count(value: number): string {
  return value.toLocaleString("en");
}

/** A measured value: four significant digits say enough. */
export function measured(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return String(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6)
    ? value.toExponential(3)
    : String(Number(value.toPrecision(4)));
}

/** One thing, several things. */
export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

/** A share of a whole in percent. */
export function percent(value: number | null): string {
  return value === null ? NOTHING : `${Math.round(value)} %`;
}
