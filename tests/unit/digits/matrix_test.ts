import assert from "node:assert/strict";
import { addProduct, type Matrix, matrix, transposed } from "../../../examples/digits/matrix.ts";
import { fillUniform, seededRandom } from "../../../examples/digits/random.ts";
import { at, zeros } from "../../../examples/digits/vector.ts";

for (
  const [rows, length, columns] of [[8, 5, 4], [1, 1, 1], [3, 7, 5], [6, 2, 3], [13, 9, 11], [
    4,
    3,
    1,
  ]] as const
) {
  Deno.test(`a product of ${rows} x ${length} and ${length} x ${columns} is added, however the factors lie`, () => {
    const left = filled(rows, length), right = filled(length, columns);
    const expected = cells(left, right);
    for (const a of [left, stored(left)]) {
      for (const b of [right, stored(right)]) {
        const sum = filled(rows, columns), before = sum.values.slice();
        addProduct(a, b, sum);
        sum.values.forEach((value, i) => {
          assert.ok(Math.abs(value - at(before, i) - at(expected, i)) < 1e-12, `cell ${i}`);
        });
      }
    }
  });
}

function filled(rows: number, columns: number): Matrix {
  const values = zeros(rows * columns);
  fillUniform(values, 1, seededRandom(rows, `columns ${columns}`));
  return matrix(values, rows, columns);
}

/** The same matrix, stored column after column. */
function stored(m: Matrix): Matrix {
  const copy = matrix(zeros(m.values.length), m.columns, m.rows);
  for (let i = 0; i < m.rows; i++) {
    for (let j = 0; j < m.columns; j++) copy.values[j * m.rows + i] = at(m.values, i * m.columns + j);
  }
  return transposed(copy);
}

function cells(a: Matrix, b: Matrix): Float64Array {
  const result = zeros(a.rows * b.columns);
  for (let i = 0; i < result.length; i++) {
    const row = Math.floor(i / b.columns), column = i % b.columns;
    let total = 0;
    for (let k = 0; k < a.columns; k++) {
      total += at(a.values, row * a.columns + k) * at(b.values, k * b.columns + column);
    }
    result[i] = total;
  }
  return result;
}
