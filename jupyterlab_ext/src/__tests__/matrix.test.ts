import {
  difference,
  exponentOf,
  extent,
  reweighed,
  scaledScores,
  softmaxRows
} from '../heatmap/matrix';
import { matrix } from './fixtures';

const scores = matrix([1, 2, 3], [-4, 0, 4]);

function close(found: Float32Array, wanted: ArrayLike<number>): void {
  expect(found).toHaveLength(wanted.length);
  Array.from(wanted).forEach((value, i) =>
    expect(found[i]).toBeCloseTo(value, 5)
  );
}

test('softmax over rows equals its definition', () => {
  const sum = Math.exp(1) + Math.exp(2) + Math.exp(3);
  const { values } = softmaxRows(scores, 1);
  close(
    values.slice(0, 3),
    [1, 2, 3].map(score => Math.exp(score) / sum)
  );
});

test('softmax of large scores does not overflow', () => {
  close(softmaxRows(matrix([1e4, 1e4, 0]), 1).values, [0.5, 0.5, 0]);
});

test('a masked score gets no weight', () => {
  close(softmaxRows(matrix([0, -Infinity]), 1).values, [1, 0]);
});

test('a NaN among the scores stays NaN', () => {
  expect(softmaxRows(matrix([NaN, 1]), 1).values).toEqual(
    Float32Array.from([NaN, NaN])
  );
});

test.each([0.1, 0.5, 2, 10])(
  'weights at temperature %p are what softmax makes of the scores',
  temperature => {
    const weights = softmaxRows(scores, 1);
    const wanted = softmaxRows(scores, 1 / temperature);
    close(reweighed(weights, 1 / temperature)!.values, wanted.values);
  }
);

test('a row that does not sum to 1 keeps its sum', () => {
  const columns = matrix([0.9, 0.1], [0.1, 0.3]); // softmax over the wrong axis
  const { values } = reweighed(columns, 2)!;
  expect(values[0] + values[1]).toBeCloseTo(1);
  expect(values[2] + values[3]).toBeCloseTo(0.4);
});

test('weights below 0 cannot be changed', () => {
  expect(reweighed(matrix([-0.5, 1.5]), 2)).toBeNull();
  expect(reweighed(matrix([-0.5, 1.5]), 1)).not.toBeNull();
});

test('a row of zeros stays one', () => {
  close(reweighed(matrix([0, 0]), 2)!.values, [0, 0]);
});

test('untouched numbers are the very same', () => {
  expect(scaledScores(scores, 1)).toBe(scores);
  expect(reweighed(scores, 1)).toBe(scores);
});

test('a difference needs equal shapes', () => {
  expect(difference(scores, matrix([1, 2]))).toBeNull();
  close(difference(matrix([3, 1]), matrix([1, 3]))!.values, [2, -2]);
});

test('equal infinities differ by 0', () => {
  close(difference(matrix([-Infinity]), matrix([-Infinity]))!.values, [0]);
});

test('the extent counts what is no number, and leaves it out', () => {
  const odd = matrix([NaN, 2, Infinity, -Infinity, -1]);
  expect(extent(odd)).toEqual({
    low: -1,
    high: 2,
    nan: 1,
    infinite: 1,
    minusInfinite: 1
  });
});

test('the switch divides by the root of d_k, or takes the division back', () => {
  expect(exponentOf(1, true, true, 64)).toBe(1);
  expect(exponentOf(1, false, true, 64)).toBe(8);
  expect(exponentOf(1, true, false, 64)).toBeCloseTo(1 / 8);
  expect(exponentOf(2, false, true, 64)).toBe(4);
  expect(exponentOf(1, false, true, null)).toBe(1);
});
