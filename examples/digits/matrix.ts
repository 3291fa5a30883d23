/**
 * Matrices as views on vectors, and the one product that all the heavy layers rest on.
 *
 * @module
 */
import { at, type Vector } from "./vector.ts";

/** A vector seen as a matrix: element (i, j) stands at `i * rowStep + j * columnStep`. */
export interface Matrix {
  readonly values: Vector;
  readonly rows: number;
  readonly columns: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** A vector that holds a matrix row after row. */
export function matrix(values: Vector, rows: number, columns: number): Matrix {
  return { values, rows, columns, rowStep: columns, columnStep: 1 };
}

/** The same numbers with rows and columns exchanged. */
export function transposed(m: Matrix): Matrix {
  return { values: m.values, rows: m.columns, columns: m.rows, rowStep: m.columnStep, columnStep: m.rowStep };
}

/** Adds the product `a b` to `sum`. */
export function addProduct(a: Matrix, b: Matrix, sum: Matrix): void {
  const rows = sum.rows - sum.rows % TILE_ROWS;
  const columns = sum.columns - sum.columns % TILE_COLUMNS;
  addTiles(a, b, sum, rows, columns);
  addCells(a, b, sum, 0, rows, columns, sum.columns);
  addCells(a, b, sum, rows, sum.rows, 0, sum.columns);
}

/** Adds the rows of a matrix as wide as the sum. */
export function addRows(rows: Vector, sum: Vector): void {
  for (let start = 0; start < rows.length; start += sum.length) {
    for (let i = 0; i < sum.length; i++) sum[i] = at(sum, i) + at(rows, start + i);
  }
}

// Eight running sums fit into the registers with their operands; 4 x 4 and 2 x 2 measured a quarter slower.
const TILE_ROWS = 4;
const TILE_COLUMNS = 2;

/**
 * The part of the sum that whole tiles cover.
 *
 * `| 0` keeps an index a 32 bit integer. Without it V8 checks each addition for overflow: 3.0 billion multiply-adds a
 * second instead of 4.7.
 */
function addTiles(a: Matrix, b: Matrix, sum: Matrix, rows: number, columns: number): void {
  const x = a.values, y = b.values, z = sum.values;
  const xRow = a.rowStep, xStep = a.columnStep, yStep = b.rowStep, yColumn = b.columnStep;
  const zRow = sum.rowStep, zColumn = sum.columnStep, length = a.columns;
  for (let i = 0; i < rows; i += TILE_ROWS) {
    for (let j = 0; j < columns; j += TILE_COLUMNS) {
      let s00 = 0, s01 = 0, s10 = 0, s11 = 0, s20 = 0, s21 = 0, s30 = 0, s31 = 0;
      let p0 = i * xRow, p1 = p0 + xRow, p2 = p1 + xRow, p3 = p2 + xRow, q0 = j * yColumn, q1 = q0 + yColumn;
      for (let k = 0; k < length; k++) {
        const y0 = at(y, q0), y1 = at(y, q1);
        const x0 = at(x, p0);
        s00 += x0 * y0;
        s01 += x0 * y1;
        const x1 = at(x, p1);
        s10 += x1 * y0;
        s11 += x1 * y1;
        const x2 = at(x, p2);
        s20 += x2 * y0;
        s21 += x2 * y1;
        const x3 = at(x, p3);
        s30 += x3 * y0;
        s31 += x3 * y1;
        p0 = (p0 + xStep) | 0;
        p1 = (p1 + xStep) | 0;
        p2 = (p2 + xStep) | 0;
        p3 = (p3 + xStep) | 0;
        q0 = (q0 + yStep) | 0;
        q1 = (q1 + yStep) | 0;
      }
      const cell = i * zRow + j * zColumn;
      z[cell] = at(z, cell) + s00;
      z[cell + zColumn] = at(z, cell + zColumn) + s01;
      z[cell + zRow] = at(z, cell + zRow) + s10;
      z[cell + zRow + zColumn] = at(z, cell + zRow + zColumn) + s11;
      z[cell + 2 * zRow] = at(z, cell + 2 * zRow) + s20;
      z[cell + 2 * zRow + zColumn] = at(z, cell + 2 * zRow + zColumn) + s21;
      z[cell + 3 * zRow] = at(z, cell + 3 * zRow) + s30;
      z[cell + 3 * zRow + zColumn] = at(z, cell + 3 * zRow + zColumn) + s31;
    }
  }
}

/** A rectangle of the sum, cell by cell: the edges that no whole tile covers. */
function addCells(
  a: Matrix,
  b: Matrix,
  sum: Matrix,
  rowFrom: number,
  rowTo: number,
  columnFrom: number,
  columnTo: number,
): void {
  for (let i = rowFrom; i < rowTo; i++) {
    for (let j = columnFrom; j < columnTo; j++) {
      let total = 0, p = i * a.rowStep, q = j * b.columnStep;
      for (let k = 0; k < a.columns; k++) {
        total += at(a.values, p) * at(b.values, q);
        p += a.columnStep;
        q += b.rowStep;
      }
      const cell = i * sum.rowStep + j * sum.columnStep;
      sum.values[cell] = at(sum.values, cell) + total;
    }
  }
}
