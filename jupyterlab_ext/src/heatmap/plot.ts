import { IBokeh, IBokehModel, IPlotView, IView } from './bokeh';
import {
  colourBar,
  hoverTool,
  IFrame,
  outline,
  renderer,
  sizeOf,
  tokenAxis
} from './figure';
import { ILayer } from './layers';
import { ICursor } from './model';
import { styleFor } from './numbers';
import { colourOf, inkOn, paint } from './palette';

const MOST_ANNOTATED = 12; // rows and columns up to which numbers are written into the cells
const SMALLEST_ANNOTATED = 30; // pixels of a cell
const SMALLEST_ZOOMED = 33; // rows or columns from which one may look closer

/** One heatmap: a Bokeh plot that is built once for a shape, and then only given new numbers. */
export class HeatmapPlot {
  constructor(
    private readonly bokeh: IBokeh,
    private readonly host: HTMLElement,
    private layer: ILayer,
    private frame: IFrame
  ) {
    const { Models } = bokeh;
    const source = (...columns: string[]): IBokehModel =>
      new Models.ColumnDataSource({
        data: Object.fromEntries(columns.map(column => [column, []]))
      });
    this._image = source('image', 'x', 'y', 'dw', 'dh');
    this._numbers = source('x', 'y', 'text', 'ink');
    this._cell = source('left', 'right', 'top', 'bottom');
    const { rows, columns } = layer.matrix;
    this._xRange = new Models.Range1d({ start: 0, end: columns });
    this._yRange = new Models.Range1d({ start: rows, end: 0 }); // the first row on top
    this._mapper = new Models.LinearColorMapper();
    this._fill();
  }

  /** Draw for the first time. */
  async show(): Promise<void> {
    const { Document } = this.bokeh.require('document');
    this._document = new Document();
    const plot = this._build();
    this._document!.add_root(plot);
    const { embed } = this.bokeh;
    this._views = await embed.add_document_standalone(
      this._document,
      this.host
    );
    const found = [...this._views].find(view => view.model === plot);
    this._view = (found as IPlotView | undefined) ?? null;
    if (this._disposed) {
      this._remove();
    }
  }

  /** Whether new numbers fit this plot, or another one is needed. */
  fits(layer: ILayer, frame: IFrame): boolean {
    const same = (a: readonly string[], b: readonly string[]): boolean =>
      a === b || (a.length === b.length && a.every((one, i) => one === b[i]));
    return (
      layer.matrix.rows === this.layer.matrix.rows &&
      layer.matrix.columns === this.layer.matrix.columns &&
      frame.width === this.frame.width &&
      frame.ink === this.frame.ink &&
      same(frame.tokens, this.frame.tokens) &&
      same(frame.keyTokens, this.frame.keyTokens)
    );
  }

  /**
   * Draw other numbers of the same shape, within the task that brought them.
   *
   * Left alone, Bokeh would ask for a frame and paint in it, after whatever the page has queued
   * until then; how often that may be is bounded where the numbers come in.
   */
  async update(layer: ILayer, frame: IFrame): Promise<void> {
    const changed = layer !== this.layer;
    this.layer = layer;
    this.frame = frame;
    if (!changed) {
      return;
    }
    const view = this._view;
    view?.pause();
    try {
      this._fill();
      await settled(view); // promises only: the task does not end here
    } finally {
      view?.unpause(true);
    }
    if (!this._disposed) {
      view?.repaint();
    }
  }

  /** Outline one cell, or none. */
  mark(cursor: ICursor | null): void {
    const [row, column] = cursor ? [[cursor.row], [cursor.column]] : [[], []];
    this._cell.data = {
      left: column,
      right: column.map(one => one + 1),
      top: row,
      bottom: row.map(one => one + 1)
    };
  }

  /** Show all again after a closer look. */
  reset(): void {
    const { rows, columns } = this.layer.matrix;
    this._xRange.setv({ start: 0, end: columns });
    this._yRange.setv({ start: rows, end: 0 });
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
    this._view = null;
    this._document?.clear();
    this._document = null;
  }

  private _fill(): void {
    const { matrix, scale } = this.layer;
    const { rows, columns } = matrix;
    const { Uint32NDArray } = this.bokeh.require('core/util/ndarray');
    const pixels = paint(matrix, scale);
    this._image.data = {
      image: [new Uint32NDArray(pixels.buffer, [rows, columns])],
      x: [0],
      y: [0],
      dw: [columns],
      dh: [rows]
    };
    const { low, high, colours } = scale;
    if (this._scaled !== `${low} ${high} ${scale.palette}`) {
      this._scaled = `${low} ${high} ${scale.palette}`;
      this._mapper.setv({ low, high, palette: [...colours] });
    }
    if (this._isAnnotated()) {
      this._numbers.data = this._annotations();
    }
  }

  private _isAnnotated(): boolean {
    const { rows, columns } = this.layer.matrix;
    return (
      Math.max(rows, columns) <= MOST_ANNOTATED &&
      sizeOf(this.layer, this.frame).cell >= SMALLEST_ANNOTATED
    );
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
        scale.onlyRounding && value !== 0 && Number.isFinite(value)
          ? '≈0'
          : write(value)
      ),
      ink: cells.map(value => inkOn(colourOf(value, scale)))
    };
  }

  private _build(): IBokehModel {
    const { bokeh, frame } = this;
    const { Models } = bokeh;
    const { width, height } = sizeOf(this.layer, frame);
    const image = renderer(bokeh, 'ImageRGBA', this._image, {
      image: { field: 'image' },
      x: { field: 'x' },
      y: { field: 'y' },
      dw: { field: 'dw' },
      dh: { field: 'dh' }
    });
    const numbers = renderer(bokeh, 'Text', this._numbers, {
      x: { field: 'x' },
      y: { field: 'y' },
      text: { field: 'text' },
      text_color: { field: 'ink' },
      text_align: { value: 'center' },
      text_baseline: { value: 'middle' },
      text_font_size: { value: '11px' },
      text_font: { value: frame.ink.font }
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
      above: [
        tokenAxis(bokeh, frame, frame.keyTokens, frame.keyAxis, width, true)
      ],
      left: [
        tokenAxis(bokeh, frame, frame.tokens, frame.queryAxis, height, false)
      ],
      below: [colourBar(bokeh, this._mapper, frame)],
      renderers: [image, numbers, ...outline(bokeh, this._cell)]
    });
    plot.add_tools(hoverTool(bokeh, image, cell => this.frame.hover(cell)));
    const { rows, columns } = this.layer.matrix;
    if (Math.max(rows, columns) >= SMALLEST_ZOOMED) {
      plot.add_tools(new Models.BoxZoomTool());
    }
    return plot;
  }

  private readonly _image: IBokehModel;
  private readonly _numbers: IBokehModel;
  private readonly _cell: IBokehModel;
  private readonly _mapper: IBokehModel;
  private readonly _xRange: IBokehModel;
  private readonly _yRange: IBokehModel;
  private _scaled = '';
  private _document: IBokehModel | null = null;
  private _views: Iterable<IView> | null = null;
  private _view: IPlotView | null = null;
  private _disposed = false;
}

/** When a plot's parts have taken in what was changed. */
async function settled(view: IPlotView | null): Promise<void> {
  const parts = [...(view?.renderer_views.values() ?? [])];
  await Promise.allSettled(parts.map(part => part.ready));
}
