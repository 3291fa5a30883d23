/**
 * Where a spec was written: its data, and the line of each part.
 *
 * @module
 */
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Path } from "../../shared/space/problem.ts";

/** A spec as it was written. */
export interface SpecSource {
  /** As the user named it. */
  readonly file: string;
  readonly data: unknown;
  /** The line of a part, or of what it is missing from; undefined where there are no lines. */
  lineOf(path: Path): number | undefined;
}

/** A spec that could be read, or one sentence for each mistake. */
export type SpecReading = { readonly ok: true; readonly source: SpecSource } | {
  readonly ok: false;
  readonly problems: readonly string[];
};

const MODULE = /\.[mc]?[jt]sx?$/;

/**
 * Reads a spec: YAML or JSON by its text, a TypeScript module by its default export.
 *
 * @param path where it is, absolute; @param file as the user named it
 */
export async function readSpecSource(path: string, file: string): Promise<SpecReading> {
  try {
    if (MODULE.test(path)) return await readModule(path, file);
    return readText(await Deno.readTextFile(path), file);
  } catch (error) {
    return { ok: false, problems: [`${file}: ${unreadable(error)}`] };
  }
}

function readText(text: string, file: string): SpecReading {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message, pos }) =>
      `${file}:${lines.linePos(pos[0]).line}: ${message}`
    );
    return { ok: false, problems };
  }
  const lineAt = (offset: number | undefined) =>
    offset === undefined ? undefined : lines.linePos(offset).line;
  return {
    ok: true,
    source: { file, data: document.toJS(), lineOf: (path) => lineAt(offsetOf(document.contents, path)) },
  };
}

async function readModule(path: string, file: string): Promise<SpecReading> {
  const url = new URL(`file://${path}`).href;
  const module: Readonly<Record<string, unknown>> = await import(url);
  const data = module["default"] ?? module["spec"];
  if (data === undefined) {
    return { ok: false, problems: [`${file}: the module exports no spec; write "export default { ... }"`] };
  }
  return { ok: true, source: { file, data, lineOf: () => undefined } };
}

function unreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  return `it cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}

/** Where a part begins in the text, as far as the path leads. */
function offsetOf(root: unknown, path: Path): number | undefined {
  let node: unknown = root;
  let offset = startOf(root);
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (pair === undefined) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof key === "number") {
      node = node.items[key];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) ? node.range?.[0] : undefined;
}
