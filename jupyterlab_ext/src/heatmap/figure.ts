import { IMatrix } from '../live/messages';
import { IBokeh, IBokehModel } from './bokeh';
import { ILayer } from './layers';
import { ICursor } from './model';
import { shortened } from './numbers';

/** Colours and fonts of the page, as Bokeh needs them: it draws on a canvas. */
export interface IInk {
  readonly text: string;
  readonly line: string;
  readonly font: string;
}

/** What a picture needs besides its numbers. */
export interface IFrame {
  readonly tokens: readonly string[];
  readonly keyTokens: readonly string[];
  readonly queryAxis: string;
  readonly keyAxis: string;
  /** Pixels that the picture may be wide. */
  readonly width: number;
  readonly ink: IInk;
  /** What a pointer over a cell is told. */
  readonly hover: (cursor: ICursor) => readonly string[];
}

/** Pixels: of one cell, and of the matrix without axes and colour bar. */
export interface ISize {
  readonly cell: number;
  readonly width: number;
  readonly height: number;
}

const LONGEST_LABEL = 14;
const LETTER = 7; // pixels, about
const MOST_LABELS = 32;
const LINE = 15; // pixels between two labels
const TALLEST = 420;
const LARGEST_CELL = 48;

export function sizeOf(layer: ILayer, frame: IFrame): ISize {
  const { rows, columns } = layer.matrix;
  const longest = Math.max(
    1,
    ...frame.tokens.map(token => Math.min(token.length, LONGEST_LABEL))
  );
  const room = Math.max(80, frame.width - LETTER * longest - 40);
  const cell = Math.min(LARGEST_CELL, room / columns);
  return {
    cell,
    width: Math.max(60, Math.round(cell * columns)),
    height: Math.min(
      TALLEST,
      Math.max(Math.round(cell * rows), Math.min(60, 12 * rows))
    )
  };
}

/** An axis with a token in the middle of each cell, or of every few cells. */
export function tokenAxis(
  { Models }: IBokeh,
  { ink }: IFrame,
  tokens: readonly string[],
  title: string,
  pixels: number,
  mayTurn: boolean
): IBokehModel {
  const most = Math.min(MOST_LABELS, Math.max(2, Math.floor(pixels / LINE)));
  const every = Math.ceil(tokens.length / most);
  const shown = tokens
    .map((token, i) => [i + 0.5, shortened(token, LONGEST_LABEL)] as const)
    .filter((_, i) => i % every === 0);
  const longest = Math.max(1, ...shown.map(([, name]) => name.length));
  const apart = (pixels / tokens.length) * every;
  const turned = mayTurn && LETTER * longest + 4 > apart;
  return new Models.LinearAxis({
    axis_label: title,
    ticker: new Models.FixedTicker({ ticks: shown.map(([at]) => at) }),
    major_label_overrides: new Map(shown),
    major_label_policy: new Models.AllLabels(),
    ...(turned ? { major_label_orientation: 0.9 } : {}),
    major_tick_line_color: ink.line,
    minor_tick_line_color: null,
    axis_line_color: null,
    axis_label_text_color: ink.text,
    axis_label_text_font: ink.font,
    axis_label_text_font_style: 'normal',
    axis_label_text_font_size: '11px',
    axis_label_standoff: 2,
    major_label_text_color: ink.text,
    major_label_text_font: ink.font,
    major_label_text_font_size: '12px',
    major_label_standoff: 2
  });
}

/** A glyph that looks the same under the pointer and when it is selected. */
function renderer(
  { Models }: IBokeh,
  glyph: string,
  source: IBokehModel,
  properties: Record<string, unknown>
): IBokehModel {
  return new Models.GlyphRenderer({
    data_source: source,
    glyph: new Models[glyph](properties),
    nonselection_glyph: null,
    selection_glyph: null,
    muted_glyph: null,
    view: new Models.CDSView({ filter: new Models.AllIndices() })
  });
}

/** What the pointer meets over the cells: one pixel that is not seen, as large as the matrix. */
export function target(bokeh: IBokeh, { rows, columns }: IMatrix): IBokehModel {
  const { Uint32NDArray } = bokeh.require('core/util/ndarray');
  const unseen = new Uint32NDArray(new Uint32Array(1).buffer, [1, 1]);
  const source = new bokeh.Models.ColumnDataSource({
    data: { image: [unseen], x: [0], y: [0], dw: [columns], dh: [rows] }
  });
  return renderer(bokeh, 'ImageRGBA', source, {
    image: { field: 'image' },
    x: { field: 'x' },
    y: { field: 'y' },
    dw: { field: 'dw' },
    dh: { field: 'dh' }
  });
}

/** The outline of a cell: two lines around each other, one of which is seen on any colour. */
export function outline(bokeh: IBokeh, cell: IBokehModel): IBokehModel[] {
  const lines = [
    ['#000000', 5],
    ['#ffffff', 2]
  ] as const;
  return lines.map(([colour, thickness]) =>
    renderer(bokeh, 'Quad', cell, {
      left: { field: 'left' },
      right: { field: 'right' },
      top: { field: 'top' },
      bottom: { field: 'bottom' },
      fill_color: null,
      line_color: { value: colour },
      line_width: { value: thickness }
    })
  );
}

/** Tells the pointer about the cell under it. */
export function hoverTool(
  { Models }: IBokeh,
  cells: IBokehModel,
  lines: (cursor: ICursor) => readonly string[]
): IBokehModel {
  return new Models.HoverTool({
    renderers: [cells],
    tooltips: (_: unknown, at: { x?: number; y?: number }): HTMLElement => {
      const cell = {
        row: Math.floor(at.y ?? 0),
        column: Math.floor(at.x ?? 0)
      };
      const box = document.createElement('div');
      for (const line of lines(cell)) {
        const one = document.createElement('div');
        one.textContent = line; // tokens are text, whatever they look like
        box.append(one);
      }
      return box;
    }
  });
}
