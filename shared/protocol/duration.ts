/**
 * Durations as people write them: `1h 30m`, `90s`, `500ms`.
 *
 * @module
 */

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds; undefined where the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+$/.test(trimmed)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)/g)) {
    totalMs += Number(amount) * (UNITS_MS[unit ?? ""] ?? 0);
  }
  return totalMs;
}

/** A duration with its two largest units, such as `1h 30m`. */
export function formatDuration(spanMs: number): string {
  if (spanMs < 1_000) return `${Math.round(spanMs)}ms`;
  const seconds = Math.round(spanMs / 1_000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return join(Math.floor(seconds / 60), "m", seconds % 60, "s");
  if (seconds < 86_400) return join(Math.floor(seconds / 3_600), "h", Math.floor(seconds % 3_600 / 60), "m");
  return join(Math.floor(seconds / 86_400), "d", Math.floor(seconds % 86_400 / 3_600), "h");
}

function join(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit} ${small}${smallUnit}`;
}
