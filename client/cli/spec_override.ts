/**
 * `--set a.b=value`: changes to a spec from the command line.
 *
 * @module
 */
import { parse } from "yaml";
import { isRecord, type Path } from "../../shared/space/problem.ts";

/** One change. */
export interface Override {
  readonly path: Path;
  readonly value: unknown;
}

/**
 * Reads a change such as `budget.trials=20` or `objectives[0].metric=loss`; the value is YAML.
 *
 * @returns the change, or a sentence that says what is wrong
 */
export function parseOverride(text: string): Override | string {
  const equals = text.indexOf("=");
  const place = equals < 0 ? "" : text.slice(0, equals).trim();
  const path = place.split(/[.[\]]+/).filter((part) => part !== "")
    .map((part) => /^\d+$/.test(part) ? Number(part) : part);
  if (path.length === 0) return `--set ${text}: expected PATH=VALUE, such as budget.trials=20`;
  try {
    return { path, value: parse(text.slice(equals + 1)) };
  } catch (error) {
    return `--set ${text}: the value is no YAML: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The data with a change; what stands in its way is replaced. */
export function applyOverride(data: unknown, { path, value }: Override): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof key === "number" && Array.isArray(data)) {
    const list = [...data];
    list[key] = applyOverride(list[key], { path: rest, value });
    return list;
  }
  const record = isRecord(data) ? data : {};
  return { ...record, [key]: applyOverride(record[key], { path: rest, value }) };
}
