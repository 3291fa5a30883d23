/**
 * What counts as metrics, and what is wrong with a value that does not.
 *
 * @module
 */

/** Metrics of one result or report. As the protocol has it, which the harness cannot import. */
export const METRICS_MAX = 256;
/** Characters in the name of a metric. */
export const METRIC_NAME_MAX = 200;
/** No metric can be called so: a frame with such a key is refused as a whole, and whoever sent it is sent away. */
export const METRIC_NAME_REFUSED = "__proto__";

/** Metrics: names and finite numbers. */
export type Numbers = Readonly<Record<string, number>>;

/**
 * What is wrong with a value that should be metrics.
 *
 * @returns a phrase such as `its metric "loss" is NaN`, or undefined where all is well
 */
export function metricsProblem(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !isPlain(value)) return `it is ${nameOf(value)}`;
  const entries = Object.entries(value);
  if (entries.length > METRICS_MAX) return `it has ${entries.length} metrics; it may have ${METRICS_MAX}`;
  for (const [name, number] of entries) {
    if (name === "") return "one of its metrics has no name";
    if (name === METRIC_NAME_REFUSED) return `one of its metrics is called "${METRIC_NAME_REFUSED}"`;
    if (name.length > METRIC_NAME_MAX) {
      return `the name of its metric "${
        name.slice(0, 40)
      }..." has ${name.length} characters; it may have ${METRIC_NAME_MAX}`;
    }
    if (typeof number !== "number" || !Number.isFinite(number)) {
      return `its metric "${name}" is ${nameOf(number)}`;
    }
  }
  return undefined;
}

/** Whether a value is metrics. */
export function isMetrics(value: unknown): value is Numbers {
  return metricsProblem(value) === undefined;
}

/** What metrics should have been, for messages. */
export const METRICS_ADVICE = "metrics are an object of finite numbers, such as { accuracy: 0.97 }";

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined || typeof value === "boolean") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? `the number ${value}` : String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value !== "object") return `a ${typeof value}`;
  const kind = value.constructor?.name;
  return isPlain(value) || kind === undefined ? "an object" : `a ${kind}`;
}
