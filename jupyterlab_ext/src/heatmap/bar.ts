import { IBox } from './bokeh';
import { IInk } from './figure';
import { spelled } from './numbers';
import { IScale } from './palette';

/** Pixels below a matrix that the bar and its numbers take. */
export const BAR_ROOM = 31;

const APART = 4; // pixels between matrix and bar, bar and numbers, two numbers
const THICK = 8;
const TICK = 5;
const FONT_SIZE = 11;
const ABOUT = 6; // ticks

/** Round numbers from `low` to `high`, 1, 2 or 5 times a power of ten apart. */
export function ticksOf(low: number, high: number): number[] {
  const power = Math.pow(10, Math.floor(Math.log10((high - low) / ABOUT)));
  const off = (step: number): number =>
    Math.abs(ABOUT - (high - low) / (step * power));
  const step =
    power * [1, 2, 5, 10].reduce((a, b) => (off(b) < off(a) ? b : a));
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12))
  );
}

/** Paint the bar that explains the colours, below `matrix`, on a canvas `width` pixels wide. */
export function paintBar(
  context: CanvasRenderingContext2D,
  { low, high, colours }: IScale,
  ink: IInk,
  matrix: IBox,
  width: number
): void {
  const left = matrix.left + APART;
  const top = matrix.top + matrix.height + APART;
  const length = matrix.width - 2 * APART;
  context.imageSmoothingEnabled = false;
  context.drawImage(strip(colours), left, top, length, THICK);
  context.strokeStyle = ink.line;
  context.lineWidth = 1;
  context.strokeRect(left + 0.5, top + 0.5, length - 1, THICK);
  context.fillStyle = ink.text;
  context.font = `${FONT_SIZE}px ${ink.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'top';
  context.beginPath();
  let written = 0; // pixels from the left
  for (const tick of ticksOf(low, high)) {
    const part = (tick - low) / (high - low);
    const at = Math.round(left + part * (length - 1)) + 0.5;
    context.moveTo(at, top + THICK - TICK);
    context.lineTo(at, top + THICK);
    const text = spelled(tick, 6);
    const half = context.measureText(text).width / 2;
    const middle = Math.min(at, width - half); // the last one does not stand over the edge
    if (middle - half >= written) {
      context.fillText(text, middle, top + THICK + APART);
      written = middle + half + APART;
    }
  }
  context.stroke();
}

const strips = new WeakMap<readonly string[], HTMLCanvasElement>();

/** A palette's colours side by side, one pixel each. */
function strip(colours: readonly string[]): HTMLCanvasElement {
  let found = strips.get(colours);
  if (!found) {
    found = document.createElement('canvas');
    found.width = colours.length;
    found.height = 1;
    const context = found.getContext('2d')!;
    colours.forEach((colour, i) => {
      context.fillStyle = colour;
      context.fillRect(i, 0, 1, 1);
    });
    strips.set(colours, found);
  }
  return found;
}
