import { IMatrix } from '../live/messages';

/**
 * Matrices as the sliders change them. Pure numbers: no page, no pictures.
 *
 * `exponent` is what scores are multiplied with before softmax: 1 / temperature, times or
 * divided by sqrt(d_k) where the scaling switch is not as the exercise has it.
 */

/** Scores times the exponent. */
export function scaledScores(scores: IMatrix, exponent: number): IMatrix {
  return exponent === 1 ? scores : mapped(scores, value => value * exponent);
}

/** Softmax over each row of the scores times the exponent. */
export function softmaxRows(scores: IMatrix, exponent: number): IMatrix {
  const { rows, columns, values } = scores;
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let largest = -Infinity;
    for (let i = start; i < start + columns; i++) {
      const score = values[i] * exponent;
      if (!(score <= largest)) {
        largest = score; // NaN gets through, and stays
      }
    }
    let sum = 0;
    for (let i = start; i < start + columns; i++) {
      result[i] = Math.exp(values[i] * exponent - largest);
      sum += result[i];
    }
    for (let i = start; i < start + columns; i++) {
      result[i] /= sum;
    }
  }
  return { rows, columns, values: result };
}

/**
 * Weights as they would be with other scores: each to the power of the exponent, each row
 * with the sum that it had.
 *
 * For a softmax this is exact, since a row's log-weights are its scores up to a constant. A row
 * that does not sum to 1 keeps its fault. Entries below 0 have no logarithm; null is returned.
 */
export function reweighed(weights: IMatrix, exponent: number): IMatrix | null {
  if (exponent === 1) {
    return weights;
  }
  const { rows, columns, values } = weights;
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let largest = 0;
    let before = 0;
    for (let i = start; i < start + columns; i++) {
      if (values[i] < 0) {
        return null;
      }
      before += values[i];
      if (!(values[i] <= largest)) {
        largest = values[i];
      }
    }
    if (largest === 0) {
      continue;
    }
    let after = 0;
    for (let i = start; i < start + columns; i++) {
      result[i] = Math.pow(values[i] / largest, exponent);
      after += result[i];
    }
    for (let i = start; i < start + columns; i++) {
      result[i] *= before / after;
    }
  }
  return { rows, columns, values: result };
}

/** One minus the other; null where the shapes differ. Equal infinities differ by 0. */
export function difference(mine: IMatrix, other: IMatrix): IMatrix | null {
  if (mine.rows !== other.rows || mine.columns !== other.columns) {
    return null;
  }
  const values = new Float32Array(mine.values.length);
  for (let i = 0; i < values.length; i++) {
    const [a, b] = [mine.values[i], other.values[i]];
    values[i] = a === b ? 0 : a - b;
  }
  return { rows: mine.rows, columns: mine.columns, values };
}

/** What numbers a matrix holds. */
export interface IExtent {
  /** Smallest and largest of the finite numbers; Infinity and -Infinity if there are none. */
  readonly low: number;
  readonly high: number;
  readonly nan: number;
  readonly infinite: number;
  readonly minusInfinite: number;
}

const NOTHING: IExtent = {
  low: Infinity,
  high: -Infinity,
  nan: 0,
  infinite: 0,
  minusInfinite: 0
};

/** A million numbers take a while to look through, and no matrix ever changes: once is enough. */
const looked = new WeakMap<IMatrix, IExtent>();

/** What all of the matrices hold together. */
export function extent(...matrices: readonly IMatrix[]): IExtent {
  return matrices.map(extentOf).reduce(
    (all, one) => ({
      low: Math.min(all.low, one.low),
      high: Math.max(all.high, one.high),
      nan: all.nan + one.nan,
      infinite: all.infinite + one.infinite,
      minusInfinite: all.minusInfinite + one.minusInfinite
    }),
    NOTHING
  );
}

function extentOf(matrix: IMatrix): IExtent {
  const known = looked.get(matrix);
  if (known) {
    return known;
  }
  let [low, high] = [Infinity, -Infinity];
  let [nan, infinite, minusInfinite] = [0, 0, 0];
  const { values } = matrix;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value - value === 0) {
      if (value < low) {
        low = value;
      }
      if (value > high) {
        high = value;
      }
    } else if (value === Infinity) {
      infinite += 1;
    } else if (value === -Infinity) {
      minusInfinite += 1;
    } else {
      nan += 1;
    }
  }
  const found = { low, high, nan, infinite, minusInfinite };
  looked.set(matrix, found);
  return found;
}

/** What scores are multiplied with, from the sliders. */
export function exponentOf(
  temperature: number,
  scaled: boolean,
  exerciseScales: boolean,
  dK: number | null
): number {
  let exponent = 1 / temperature;
  if (dK !== null && scaled !== exerciseScales) {
    exponent *= scaled ? 1 / Math.sqrt(dK) : Math.sqrt(dK);
  }
  return exponent;
}

function mapped(matrix: IMatrix, change: (value: number) => number): IMatrix {
  return { ...matrix, values: matrix.values.map(change) };
}
