/**
 * Upper factor `U` of a symmetric positive definite matrix `A = U U^T`, both row-major of `extent * extent` (only the upper
 * triangle of `A` is read; the lower one of `U` is zero). Undefined when `A` is not positive definite.
 */
export function upperFactor(matrix: Float64Array, extent: number): Float64Array<ArrayBuffer> | undefined {
  const factor = new Float64Array(extent * extent);
  for (let j = extent - 1; j >= 0; j--) {
    const rowJ = j * extent;
    let square = matrix[rowJ + j];
    for (let k = j + 1; k < extent; k++) square -= factor[rowJ + k] ** 2;
    if (!(square > 0)) return undefined;
    const pivot = Math.sqrt(square);
    factor[rowJ + j] = pivot;
    for (let i = 0; i < j; i++) {
      const rowI = i * extent;
      let sum = matrix[rowI + j];
      for (let k = j + 1; k < extent; k++) sum -= factor[rowI + k] * factor[rowJ + k];
      factor[rowI + j] = sum / pivot;
    }
  }
  return factor;
}

/** Solves `U U^T x = b` in place: `b` becomes `x`. */
export function solveFactored(factor: Float64Array, extent: number, b: Float64Array): void {
  for (let i = extent - 1; i >= 0; i--) {
    let sum = b[i];
    for (let k = i + 1; k < extent; k++) sum -= factor[i * extent + k] * b[k];
    b[i] = sum / factor[i * extent + i];
  }
  for (let i = 0; i < extent; i++) {
    const value = b[i] / factor[i * extent + i];
    b[i] = value;
    for (let k = i + 1; k < extent; k++) b[k] -= factor[i * extent + k] * value;
  }
}

/** Inverse `V = U^-1` of an upper factor, upper as well: `A^-1 = V^T V`. */
export function invertUpper(factor: Float64Array, extent: number): Float64Array<ArrayBuffer> {
  const inverse = new Float64Array(extent * extent);
  for (let i = extent - 1; i >= 0; i--) {
    const row = inverse.subarray(i * extent, (i + 1) * extent);
    const scale = 1 / factor[i * extent + i];
    row[i] = scale;
    for (let k = i + 1; k < extent; k++) {
      const weight = factor[i * extent + k] * scale;
      if (weight === 0) continue;
      for (let j = k; j < extent; j++) row[j] -= weight * inverse[k * extent + j];
    }
  }
  return inverse;
}
