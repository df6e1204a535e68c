import { IBokeh, IBokehModel } from './bokeh';
import { ICursor, ILayer } from './model';
import { shortened, styleFor } from './numbers';
import { colourOf, inkOn, paint } from './palette';

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

const MOST_ANNOTATED = 12; // rows and columns up to which numbers are written into the cells
const SMALLEST_ANNOTATED = 30; // pixels of a cell
const MOST_LABELS = 32;
const TALLEST = 420;
const LARGEST_CELL = 48;

/**
 * One heatmap: a Bokeh plot that is built once for a shape and then only given new numbers.
 */
export class HeatmapPlot {
  constructor(
    private readonly bokeh: IBokeh,
    private readonly host: HTMLElement,
    private layer: ILayer,
    private frame: IFrame
  ) {
    this._image = this._source({ image: [], x: [], y: [], dw: [], dh: [] });
    this._numbers = this._source({ x: [], y: [], text: [], ink: [] });
    this._cell = this._source({ left: [], right: [], top: [], bottom: [] });
    this._fill();
  }

  /** Draw for the first time. */
  async show(): Promise<void> {
    const document = new (this.bokeh.require('document').Document)();
    document.add_root(this._build());
    this._document = document;
    this._views = await this.bokeh.embed.add_document_standalone(
      document,
      this.host
    );
    if (this._disposed) {
      this._remove();
    }
  }

  /** Whether new numbers fit this plot, or another one is needed. */
  fits(layer: ILayer, frame: IFrame): boolean {
    const same = (a: readonly string[], b: readonly string[]) =>
      a === b || (a.length === b.length && a.every((one, i) => one === b[i]));
    return (
      layer.matrix.rows === this.layer.matrix.rows &&
      layer.matrix.columns === this.layer.matrix.columns &&
      frame.width === this.frame.width &&
      frame.ink.text === this.frame.ink.text &&
      frame.ink.line === this.frame.ink.line &&
      same(frame.tokens, this.frame.tokens) &&
      same(frame.keyTokens, this.frame.keyTokens)
    );
  }

  /** Draw other numbers of the same shape. */
  update(layer: ILayer, frame: IFrame): void {
    this.layer = layer;
    this.frame = frame;
    this._fill();
  }

  /** Outline one cell, or none. */
  mark(cursor: ICursor | null): void {
    this._cell.data = cursor
      ? {
          left: [cursor.column],
          right: [cursor.column + 1],
          top: [cursor.row],
          bottom: [cursor.row + 1]
        }
      : { left: [], right: [], top: [], bottom: [] };
  }

  /** Show all again after a closer look. */
  reset(): void {
    const { rows, columns } = this.layer.matrix;
    this._xRange?.setv({ start: 0, end: columns });
    this._yRange?.setv({ start: rows, end: 0 });
  }

  dispose(): void {
    this._disposed = true;
    this._remove();
  }

  private _remove(): void {
    for (const view of this._views ?? []) {
      view.remove();
    }
    this._views = null;
    this._document?.clear();
    this.host.replaceChildren();
  }

  private _source(data: Record<string, unknown[]>): IBokehModel {
    return new this.bokeh.Models.ColumnDataSource({ data });
  }

  private _fill(): void {
    const { matrix, scale } = this.layer;
    const { rows, columns } = matrix;
    const ndarray = this.bokeh.require('core/util/ndarray');
    const image = new ndarray.Uint32NDArray(paint(matrix, scale).buffer, [
      rows,
      columns
    ]);
    this._image.data = { image: [image], x: [0], y: [0], dw: [columns], dh: [rows] };
    this._mapper?.setv({
      low: scale.low,
      high: scale.high,
      palette: [...scale.colours]
    });
    if (this._isAnnotated()) {
      this._numbers.data = this._annotations();
    }
  }

  private _annotations(): Record<string, unknown[]> {
    const { matrix, scale, extent } = this.layer;
    const write = styleFor(extent.low, extent.high);
    const { columns, values } = matrix;
    const cells = Array.from(values);
    return {
      x: cells.map((_, i) => (i % columns) + 0.5),
      y: cells.map((_, i) => Math.floor(i / columns) + 0.5),
      // Ten digits of rounding in each cell would hide that there is nothing to see.
      text: cells.map(value =>
        scale.onlyRounding && value !== 0 ? '≈0' : write(value)
      ),
      ink: cells.map(value => inkOn(colourOf(value, scale)))
    };
  }

  private _isAnnotated(): boolean {
    const { rows, columns } = this.layer.matrix;
    return (
      Math.max(rows, columns) <= MOST_ANNOTATED &&
      this._size().cell >= SMALLEST_ANNOTATED
    );
  }

  private _size(): { cell: number; width: number; height: number } {
    const { rows, columns } = this.layer.matrix;
    const room = Math.max(80, this.frame.width - this._labelWidth() - 40);
    const cell = Math.min(LARGEST_CELL, room / columns);
    const width = Math.max(60, Math.round(cell * columns));
    const height = Math.min(TALLEST, Math.max(12, Math.round(cell * rows)));
    return { cell, width, height: Math.max(height, Math.min(60, 12 * rows)) };
  }

  private _labelWidth(): number {
    const longest = Math.max(
      1,
      ...this.frame.tokens.map(token => Math.min(token.length, 14))
    );
    return Math.min(110, 7 * longest);
  }

  private _build(): IBokehModel {
    const { Models } = this.bokeh;
    const { matrix, scale } = this.layer;
    const { width, height } = this._size();
    this._xRange = new Models.Range1d({ start: 0, end: matrix.columns });
    this._yRange = new Models.Range1d({ start: matrix.rows, end: 0 });
    this._mapper = new Models.LinearColorMapper({
      low: scale.low,
      high: scale.high,
      palette: [...scale.colours]
    });
    const image = this._renderer('ImageRGBA', this._image, {
      image: { field: 'image' },
      x: { field: 'x' },
      y: { field: 'y' },
      dw: { field: 'dw' },
      dh: { field: 'dh' }
    });
    const plot = new Models.Plot({
      x_range: this._xRange,
      y_range: this._yRange,
      frame_width: width,
      frame_height: height,
      min_border: 4,
      toolbar_location: null,
      background_fill_color: null,
      border_fill_color: null,
      outline_line_color: null,
      above: [this._axis(this.frame.keyTokens, this.frame.keyAxis, width)],
      left: [this._axis(this.frame.tokens, this.frame.queryAxis, null, height)],
      below: [this._bar()],
      renderers: [image, ...this._text(), ...this._outline()]
    });
    plot.add_tools(this._hover(image));
    if (Math.max(matrix.rows, matrix.columns) > MOST_LABELS) {
      plot.add_tools(new Models.BoxZoomTool());
    }
    return plot;
  }

  private _renderer(
    glyph: string,
    source: IBokehModel,
    properties: Record<string, unknown>
  ): IBokehModel {
    const { Models } = this.bokeh;
    return new Models.GlyphRenderer({
      data_source: source,
      glyph: new Models[glyph](properties),
      // The look of cells that are not selected or under the pointer does not change.
      nonselection_glyph: null,
      selection_glyph: null,
      muted_glyph: null,
      view: new Models.CDSView({ filter: new Models.AllIndices() })
    });
  }

  private _text(): IBokehModel[] {
    return this._isAnnotated()
      ? [
          this._renderer('Text', this._numbers, {
            x: { field: 'x' },
            y: { field: 'y' },
            text: { field: 'text' },
            text_color: { field: 'ink' },
            text_align: { value: 'center' },
            text_baseline: { value: 'middle' },
            text_font_size: { value: '11px' },
            text_font: { value: this.frame.ink.font }
          })
        ]
      : [];
  }

  /** Two lines around each other: one of them is seen on any colour. */
  private _outline(): IBokehModel[] {
    return (
      [
        ['#000000', 5],
        ['#ffffff', 2]
      ] as const
    ).map(([colour, thickness]) =>
      this._renderer('Quad', this._cell, {
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

  private _axis(
    tokens: readonly string[],
    title: string,
    width: number | null,
    height = 0
  ): IBokehModel {
    const { Models } = this.bokeh;
    const { ink } = this.frame;
    const pixels = width ?? height;
    const most = Math.min(MOST_LABELS, Math.max(2, Math.floor(pixels / 15)));
    const every = Math.ceil(tokens.length / most);
    const shown = tokens
      .map((token, i) => [i + 0.5, shortened(token)] as const)
      .filter((_, i) => i % every === 0);
    const longest = Math.max(1, ...shown.map(([, name]) => name.length));
    const turned =
      width !== null && 7 * longest + 4 > (width / tokens.length) * every;
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

  private _bar(): IBokehModel {
    const { ink } = this.frame;
    return new this.bokeh.Models.ColorBar({
      color_mapper: this._mapper,
      orientation: 'horizontal',
      height: 8,
      padding: 4,
      label_standoff: 4,
      background_fill_color: null,
      bar_line_color: ink.line,
      major_tick_line_color: ink.line,
      major_label_text_color: ink.text,
      major_label_text_font: ink.font,
      major_label_text_font_size: '11px'
    });
  }

  private _hover(image: IBokehModel): IBokehModel {
    return new this.bokeh.Models.HoverTool({
      renderers: [image],
      tooltips: (
        _: unknown,
        vars: { x?: number; y?: number }
      ): HTMLElement => {
        const lines = this.frame.hover({
          row: Math.floor(vars.y ?? 0),
          column: Math.floor(vars.x ?? 0)
        });
        const box = document.createElement('div');
        for (const line of lines) {
          const one = document.createElement('div');
          one.textContent = line; // tokens are text, whatever they look like
          box.append(one);
        }
        return box;
      }
    });
  }

  private readonly _image: IBokehModel;
  private readonly _numbers: IBokehModel;
  private readonly _cell: IBokehModel;
  private _mapper: IBokehModel | null = null;
  private _xRange: IBokehModel | null = null;
  private _yRange: IBokehModel | null = null;
  private _document: { clear(): void } | null = null;
  private _views: Iterable<{ remove(): void }> | null = null;
  private _disposed = false;
}
