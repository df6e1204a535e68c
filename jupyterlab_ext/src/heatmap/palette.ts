import { IExtent } from './matrix';
import { IMatrix } from '../live/messages';

/**
 * Colours that every kind of colour vision tells apart; the notebook's own pictures
 * (attention_course/views/palettes.py) use the first of each kind.
 */

export type Sequential = 'cividis' | 'viridis' | 'greys';
export type Diverging = 'PuOr' | 'RdBu';

/** Anchors, evenly spaced from the smallest to the largest number. */
const ANCHORS: Record<Sequential | Diverging, string> = {
  cividis:
    '00204c 002b68 06366e 2c416b 414d6b 51586c 60646e 6f6f72 7c7b78 ' +
    '8b8778 9b9377 aba174 bcae6e cdbc67 dfcb5d f1da50 ffe945',
  viridis:
    '440154 47186a 472c7b 424085 3a528b 32628d 2c728e 26818e 20908c ' +
    '1e9e88 27ad80 3dbb74 5bc862 81d34c aadb32 d4e11a fde724',
  greys: 'f7f7f7 969696 111111',
  PuOr:
    '2d004b 542788 8073ac b2abd2 d8daeb f7f7f7 fee0b6 fdb863 e08214 ' +
    'b35806 7f3b08',
  RdBu:
    '053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d ' +
    'b2182b 67001f'
};

export const NOT_A_NUMBER = '#d55e00';
export const MINUS_INFINITY = '#9a9a9a';
export const PLUS_INFINITY = '#cc79a7';

/** Differences smaller than this are rounding, and look white. */
const SMALLEST_REACH = 1e-3;
const STEPS = 255; // odd, so that one colour in the middle belongs to 0

/** From numbers to colours: linear from `low` to `high`. */
export interface IScale {
  readonly low: number;
  readonly high: number;
  readonly diverging: boolean;
  /** Every number is far too small to see. */
  readonly onlyRounding: boolean;
  readonly palette: Sequential | Diverging;
  readonly colours: readonly string[];
}

/** From 0 to the largest, or balanced around 0 if any number is negative. */
export function scaleFor(
  found: IExtent,
  sequential: Sequential,
  diverging: Diverging
): IScale {
  if (!(found.high >= found.low) || (found.low === 0 && found.high === 0)) {
    return scale(0, 1, sequential, false);
  }
  if (found.low < 0) {
    const reach = Math.max(-found.low, found.high);
    return scale(-reach, reach, diverging, true);
  }
  return scale(0, found.high, sequential, false);
}

/** Balanced around 0. */
export function differenceScale(found: IExtent, diverging: Diverging): IScale {
  const known = found.high >= found.low;
  const reach = known ? Math.max(-found.low, found.high, SMALLEST_REACH) : 1;
  return {
    ...scale(-reach, reach, diverging, true),
    onlyRounding: known && reach === SMALLEST_REACH
  };
}

function scale(
  low: number,
  high: number,
  palette: Sequential | Diverging,
  diverging: boolean
): IScale {
  return {
    low,
    high,
    diverging,
    onlyRounding: false,
    palette,
    colours: colours(palette)
  };
}

/** The colour of one number, as #rrggbb. */
export function colourOf(value: number, by: IScale): string {
  if (Number.isNaN(value)) {
    return NOT_A_NUMBER;
  }
  if (!Number.isFinite(value)) {
    return value > 0 ? PLUS_INFINITY : MINUS_INFINITY;
  }
  return by.colours[place(value, by)];
}

/** Each number's colour as one 32-bit pixel, red first in memory. */
export function paint(matrix: IMatrix, by: IScale): Uint32Array<ArrayBuffer> {
  const { values } = matrix;
  const pixels = new Uint32Array(values.length);
  const table = pixelsOf(by.colours);
  const last = table.length - 1;
  const factor = table.length / (by.high - by.low);
  const [nan, plus, minus] = [NOT_A_NUMBER, PLUS_INFINITY, MINUS_INFINITY].map(
    pixel
  );
  for (let i = 0; i < values.length; i++) {
    const step = (values[i] - by.low) * factor;
    if (step >= 0 && step <= table.length) {
      pixels[i] = table[step < last ? step | 0 : last];
    } else if (step - step === 0) {
      pixels[i] = table[step < 0 ? 0 : last];
    } else {
      pixels[i] = step > 0 ? plus : step < 0 ? minus : nan;
    }
  }
  return pixels;
}

/** Black or white, whichever reads better on the colour. */
export function inkOn(colour: string): '#000000' | '#ffffff' {
  const [red, green, blue] = [1, 3, 5].map(at =>
    Math.pow(parseInt(colour.slice(at, at + 2), 16) / 255, 2.2)
  );
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return luminance > 0.18 ? '#000000' : '#ffffff';
}

function place(value: number, by: IScale): number {
  const step = ((value - by.low) / (by.high - by.low)) * by.colours.length;
  return Math.min(by.colours.length - 1, Math.max(0, Math.floor(step)));
}

function pixel(colour: string): number {
  const value = parseInt(colour.slice(1), 16);
  const bytes = [value >> 16, (value >> 8) & 255, value & 255, 255];
  return new Uint32Array(Uint8Array.from(bytes).buffer)[0];
}

const tables = new WeakMap<readonly string[], Uint32Array>();

function pixelsOf(colours: readonly string[]): Uint32Array {
  let found = tables.get(colours);
  if (!found) {
    found = Uint32Array.from(colours, pixel);
    tables.set(colours, found);
  }
  return found;
}

const made = new Map<string, readonly string[]>();

function colours(name: Sequential | Diverging): readonly string[] {
  let found = made.get(name);
  if (!found) {
    found = interpolated(ANCHORS[name].split(' '));
    made.set(name, found);
  }
  return found;
}

function interpolated(anchors: readonly string[]): string[] {
  const channel = (anchor: string, at: number): number =>
    parseInt(anchor.slice(2 * at, 2 * at + 2), 16);
  return Array.from({ length: STEPS }, (_, step) => {
    const where = (step / (STEPS - 1)) * (anchors.length - 1);
    const left = Math.min(Math.floor(where), anchors.length - 2);
    const mixed = [0, 1, 2].map(at => {
      const a = channel(anchors[left], at);
      const b = channel(anchors[left + 1], at);
      return Math.round(a + (b - a) * (where - left));
    });
    return `#${mixed.map(one => one.toString(16).padStart(2, '0')).join('')}`;
  });
}
