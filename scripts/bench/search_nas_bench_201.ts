/**
 * NAS-Bench-201 as a table: what each cell came to when it was trained on CIFAR-10, or a synthetic twin of the table.
 *
 * The columns that are read: `ops`, six digits, one an edge, each an index into the operations;
 * `val_accuracy_200_seeds`, separated by semicolons; `test_accuracy_200`; `train_seconds_200`.
 *
 * @module
 */
import { seededRandom } from "../../shared/actor/random.ts";
import type { Candidate } from "../../shared/space/candidate.ts";
import {
  NAS_BENCH_201_EDGES,
  NAS_BENCH_201_OPERATIONS,
  nasBench201Space,
} from "../../shared/space/nas_bench_201.ts";
import type { Evaluation, SearchProblem } from "./search_problem.ts";

const COLUMNS = ["ops", "val_accuracy_200_seeds", "test_accuracy_200", "train_seconds_200"] as const;
const CELLS = NAS_BENCH_201_OPERATIONS.length ** NAS_BENCH_201_EDGES.length;

type Cell = Evaluation & { readonly test: number };

/**
 * The problem that a table makes: find the cell with the best mean validation accuracy over its seeds.
 *
 * @param csv the text of the table, a row a cell
 * @throws Error where it is no such table, or lacks cells
 */
export function nasBench201Problem(name: string, csv: string): SearchProblem {
  const cells = cellsOf(csv);
  if (cells.size !== CELLS) throw new Error(`the table has ${cells.size} cells, not ${CELLS}`);
  // No spread: it would put as many arguments on the stack as there are cells.
  const largest = (of: (cell: Cell) => number) =>
    [...cells.values()].reduce((best, cell) => Math.max(best, of(cell)), -Infinity);
  return {
    name,
    space: nasBench201Space(),
    direction: "maximize",
    optimum: largest(({ value }) => value),
    testOptimum: largest(({ test }) => test),
    evaluate: (candidate) => {
      const cell = cells.get(operationsOf(candidate));
      if (cell === undefined) throw new Error(`no cell ${JSON.stringify(candidate)}`);
      return cell;
    },
  };
}

/** The digits of a candidate. */
function operationsOf(candidate: Candidate): string {
  return NAS_BENCH_201_EDGES.map((edge) =>
    NAS_BENCH_201_OPERATIONS.findIndex((operation) => operation === candidate[edge])
  ).join("");
}

function cellsOf(csv: string): ReadonlyMap<string, Cell> {
  const [header = "", ...rows] = csv.trimEnd().split(/\r?\n/);
  const names = header.split(",");
  const places = COLUMNS.map((column) => names.indexOf(column));
  const absent = COLUMNS.filter((_, index) => places[index] === -1);
  if (absent.length > 0) throw new Error(`the table lacks the columns ${absent.join(", ")}`);
  return new Map(rows.map((row, index) => {
    const fields = row.split(",");
    const [ops = "", seeds = "", test = "", seconds = ""] = places.map((place) => fields[place]);
    const cell = { value: mean(seeds.split(";").map(Number)), test: Number(test), seconds: Number(seconds) };
    if (!Object.values(cell).every(Number.isFinite) || !/^[0-4]{6}$/.test(ops)) {
      throw new Error(`row ${index + 1} of the table is not one of a cell: ${row.slice(0, 80)}`);
    }
    return [ops, cell];
  }));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What an operation adds to a cell of the twin: to its quality, and to the seconds of its training. */
const TWIN_OPERATIONS = [
  { worth: 0, seconds: 0 },
  { worth: 0.6, seconds: 15 },
  { worth: 0.7, seconds: 120 },
  { worth: 1, seconds: 270 },
  { worth: 0.3, seconds: 60 },
] as const;
/** How much each edge counts in the twin. */
const TWIN_EDGES = [0.8, 0.9, 1, 1.2, 0.9, 1.1] as const;
/** The spread of one seed's accuracy, in points, as large as the table's own near its best cells. */
const TWIN_NOISE = 0.15;

/**
 * A synthetic twin of the table, of the same form, for where the table is absent: edges that count differently, parts
 * that help only together, cells that no signal passes, noise. Its figures are no figures of NAS-Bench-201.
 */
export function syntheticNasBench201(seed: number): string {
  const random = seededRandom("nas-bench-201 twin", seed);
  const rows = Array.from({ length: CELLS }, (_, index) => {
    const ops = index.toString(NAS_BENCH_201_OPERATIONS.length).padStart(NAS_BENCH_201_EDGES.length, "0");
    const accuracy = twinAccuracy([...ops].map(Number));
    const noisy = (spread: number) => (accuracy + random.normal() * spread).toFixed(3);
    const seeds = [TWIN_NOISE, TWIN_NOISE, TWIN_NOISE].map(noisy).join(";");
    return [ops, seeds, noisy(TWIN_NOISE), twinSeconds([...ops].map(Number)).toFixed(2)].join(",");
  });
  return [COLUMNS.join(","), ...rows, ""].join("\n");
}

function twinAccuracy(ops: readonly number[]): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = ops;
  // Whether a signal reaches the last node: straight, or by the one, the other or both of the nodes between.
  const isConnected = d > 0 || (a > 0 && e > 0) || (b > 0 && f > 0) || (a > 0 && c > 0 && f > 0);
  if (!isConnected) return 10;
  const most = TWIN_EDGES.reduce((sum, weight) => sum + weight, 0);
  const worth = TWIN_EDGES.reduce(
    (sum, weight, edge) => sum + weight * (TWIN_OPERATIONS[ops[edge] ?? 0]?.worth ?? 0),
    0,
  );
  const shortcut = d === 1 && f === 3 ? 1.2 : 0;
  return 91 - 25 * (1 - (worth + shortcut) / (most + 1.2)) ** 2;
}

function twinSeconds(ops: readonly number[]): number {
  return ops.reduce((sum, op) => sum + (TWIN_OPERATIONS[op]?.seconds ?? 0), 900);
}
