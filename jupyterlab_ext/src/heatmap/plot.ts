import { BAR_ROOM } from './bar';
import { IBokeh, IBokehModel, IPlotView, IView } from './bokeh';
import { Cells } from './cells';
import {
  hoverTool,
  IFrame,
  outline,
  sizeOf,
  target,
  tokenAxis
} from './figure';
import { ILayer } from './layers';
import { ICursor } from './model';

const MOST_ANNOTATED = 12; // rows and columns up to which numbers are written into the cells
const SMALLEST_ANNOTATED = 30; // pixels of a cell
const SMALLEST_ZOOMED = 33; // rows or columns from which one may look closer

/**
 * One heatmap: a Bokeh plot that is built once for a shape, and cells that are painted anew.
 *
 * Bokeh draws what stays while numbers change: axes, the outline of a cell; it tells the pointer
 * about cells and lets one look closer. The cells lie below, on a canvas of their own.
 */
export class HeatmapPlot {
  constructor(
    private readonly bokeh: IBokeh,
    private readonly host: HTMLElement,
    private layer: ILayer,
    private frame: IFrame
  ) {
    const { Models } = bokeh;
    this._cell = new Models.ColumnDataSource({
      data: { left: [], right: [], top: [], bottom: [] }
    });
    const { rows, columns } = layer.matrix;
    this._xRange = new Models.Range1d({ start: 0, end: columns });
    this._yRange = new Models.Range1d({ start: rows, end: 0 }); // the first row on top
    this._cells = new Cells(frame.ink);
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
      return;
    }
    this._view?.canvas_view.underlays_el.append(this._cells.node);
    this._view?.repainted.connect(() => this._paint()); // moved, or looked at more closely
    this._paint();
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

  /** Draw other numbers of the same shape, at once: how often is bounded where they come in. */
  update(layer: ILayer, frame: IFrame): void {
    const changed = layer !== this.layer;
    this.layer = layer;
    this.frame = frame;
    if (changed) {
      this._fill();
      this._view?.repainted.emit(); // paints; the pointer looks again at what is under it, too
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
    const { rows, columns } = this.layer.matrix;
    const annotated =
      Math.max(rows, columns) <= MOST_ANNOTATED &&
      sizeOf(this.layer, this.frame).cell >= SMALLEST_ANNOTATED;
    this._cells.set(this.layer, annotated);
  }

  private _paint(): void {
    const view = this._view;
    if (!view) {
      return;
    }
    const { bbox, pixel_ratio } = view.canvas_view;
    this._cells.paint({
      canvas: bbox,
      ratio: pixel_ratio,
      matrix: view.frame.bbox,
      columns: [this._xRange.start, this._xRange.end],
      rows: [this._yRange.end, this._yRange.start]
    });
  }

  private _build(): IBokehModel {
    const { bokeh, frame } = this;
    const { Models } = bokeh;
    const { width, height } = sizeOf(this.layer, frame);
    const cells = target(bokeh, this.layer.matrix);
    const plot = new Models.Plot({
      x_range: this._xRange,
      y_range: this._yRange,
      frame_width: width,
      frame_height: height,
      min_border: 4,
      min_border_bottom: BAR_ROOM,
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
      renderers: [cells, ...outline(bokeh, this._cell)]
    });
    plot.add_tools(hoverTool(bokeh, cells, cell => this.frame.hover(cell)));
    const { rows, columns } = this.layer.matrix;
    if (Math.max(rows, columns) >= SMALLEST_ZOOMED) {
      plot.add_tools(new Models.BoxZoomTool());
    }
    return plot;
  }

  private readonly _cells: Cells;
  private readonly _cell: IBokehModel;
  private readonly _xRange: IBokehModel;
  private readonly _yRange: IBokehModel;
  private _document: IBokehModel | null = null;
  private _views: Iterable<IView> | null = null;
  private _view: IPlotView | null = null;
  private _disposed = false;
}
