import { extent } from '../heatmap/matrix';
import {
  colourOf,
  differenceScale,
  inkOn,
  IScale,
  MINUS_INFINITY,
  NOT_A_NUMBER,
  paint,
  PLUS_INFINITY,
  scaleFor
} from '../heatmap/palette';
import { IMatrix } from '../live/messages';
import { matrix } from './fixtures';

const scaleOf = (...matrices: IMatrix[]): IScale =>
  scaleFor(extent(...matrices), 'cividis', 'PuOr');

function painted(one: IMatrix, by: IScale): string[] {
  const bytes = new Uint8Array(paint(one, by).buffer);
  const hex = (at: number) => bytes[at].toString(16).padStart(2, '0');
  return Array.from(
    one.values,
    (_, i) => `#${hex(4 * i)}${hex(4 * i + 1)}${hex(4 * i + 2)}`
  );
}

test('from 0 upward a sequential palette is taken, from its first to its last', () => {
  const weights = matrix([0, 0.5, 1]);
  const scale = scaleOf(weights);
  expect(scale.diverging).toBe(false);
  const colours = painted(weights, scale);
  expect(colours[0]).toBe('#00204c');
  expect(colours[2]).toBe('#ffe945');
});

test('numbers of both signs are balanced around 0', () => {
  const scale = scaleOf(matrix([-1, 4]));
  expect([scale.low, scale.high]).toEqual([-4, 4]);
  expect(colourOf(0, scale)).toBe('#f7f7f7');
});

test('each pixel has the colour that is said of its number', () => {
  const odd = matrix([-3, -0.2, 0, 1.5, 3, NaN, Infinity, -Infinity]);
  const scale = scaleOf(odd);
  expect(painted(odd, scale)).toEqual(
    Array.from(odd.values, value => colourOf(value, scale))
  );
});

test('what is no number has colours of its own', () => {
  const odd = matrix([NaN, Infinity, -Infinity]);
  expect(painted(odd, scaleOf(odd))).toEqual([
    NOT_A_NUMBER,
    PLUS_INFINITY,
    MINUS_INFINITY
  ]);
});

test('numbers beyond the scale have its outermost colours', () => {
  const scale = scaleOf(matrix([0, 1]));
  expect(painted(matrix([-5, 7]), scale)).toEqual(['#00204c', '#ffe945']);
});

test('every pixel is opaque', () => {
  const bytes = new Uint8Array(
    paint(matrix([0, 1]), scaleOf(matrix([1]))).buffer
  );
  expect([bytes[3], bytes[7]]).toEqual([255, 255]);
});

test('differences that are rounding look white', () => {
  const scale = differenceScale(extent(matrix([1e-7, -1e-7])), 'PuOr');
  expect(scale.onlyRounding).toBe(true);
  expect(colourOf(1e-7, scale)).toBe('#f7f7f7');
  expect(differenceScale(extent(matrix([0.1])), 'PuOr').onlyRounding).toBe(
    false
  );
});

test('the ink reads on each colour of each palette', () => {
  const luminance = (colour: string): number => {
    const [red, green, blue] = [1, 3, 5].map(at => {
      const part = parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  for (const sequential of ['cividis', 'viridis', 'greys'] as const) {
    for (const diverging of ['PuOr', 'RdBu'] as const) {
      const up = scaleFor(extent(matrix([0, 1])), sequential, diverging);
      const both = scaleFor(extent(matrix([-1, 1])), sequential, diverging);
      for (const colour of [...up.colours, ...both.colours]) {
        const [a, b] = [luminance(colour), luminance(inkOn(colour))].sort(
          (one, two) => two - one
        );
        expect((a + 0.05) / (b + 0.05)).toBeGreaterThan(4.5);
      }
    }
  }
});
