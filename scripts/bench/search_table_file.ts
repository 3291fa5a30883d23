/**
 * Where the table of NAS-Bench-201 is read from: a file that the user names, which is no part of the project.
 *
 * Promise: a file that is named on the command line is read or the user is told; the environment's one may be absent,
 * and then a synthetic twin stands in for it, under a name of its own.
 *
 * @module
 */
import { nasBench201Problem, syntheticNasBench201 } from "./search_nas_bench_201.ts";
import type { SearchProblem } from "./search_problem.ts";

/** Where the table is, unless the command line says so. */
export const TABLE_VARIABLE = "ESPALIER_NASBENCH201";

/** What the problem is called where it stands on the table. */
export const NAS_BENCH_201 = "nasbench201";

const TWIN_NAME = `${NAS_BENCH_201} (synthetic twin)`;
const TWIN_SEED = 1;

/**
 * The problem `nasbench201`.
 *
 * @param named the file that the command line names
 * @param note is told where the twin stands in for the table, and why
 * @throws Error where the named file cannot be read, or a file is no such table
 */
export async function nasBench201(
  named: string | undefined,
  note: (text: string) => void,
): Promise<SearchProblem> {
  const file = named ?? Deno.env.get(TABLE_VARIABLE) ?? "";
  try {
    if (file !== "") return nasBench201Problem(NAS_BENCH_201, await textOf(file));
    note(
      `no table of NAS-Bench-201 is named (--data FILE or ${TABLE_VARIABLE}): its synthetic twin stands in`,
    );
  } catch (error) {
    if (named !== undefined || !(error instanceof Deno.errors.NotFound)) {
      throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
    note(`${file}, which ${TABLE_VARIABLE} names, is absent: a synthetic twin stands in`);
  }
  return nasBench201Problem(TWIN_NAME, syntheticNasBench201(TWIN_SEED));
}

async function textOf(file: string): Promise<string> {
  const bytes = await Deno.readFile(file);
  if (!file.endsWith(".gz")) return new TextDecoder().decode(bytes);
  return await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}
