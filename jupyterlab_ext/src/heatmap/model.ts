import { ISignal, Signal } from '@lumino/signaling';

import { IMatrix, IPicture } from '../live/messages';
import {
  farthestOf,
  IColours,
  ILayer,
  Kind,
  KINDS,
  layersOf,
  matricesOf,
  Quantity,
  View
} from './layers';
import { exponentOf } from './matrix';

export interface ICursor {
  readonly row: number;
  readonly column: number;
}

/** What has changed: the numbers that are drawn, or only the cell that is looked at. */
export type HeatmapChange = 'layers' | 'cursor';

/**
 * What the Attention panel shows of one picture, and how the controls change it.
 *
 * Knows no page and no Bokeh. Everything is computed when it is first asked for.
 */
export class HeatmapModel {
  get changed(): ISignal<this, HeatmapChange> {
    return this._changed;
  }

  get picture(): IPicture | null {
    return this._picture;
  }

  /** Another picture, or the same one after its cell has run again. */
  set picture(picture: IPicture | null) {
    if (picture === this._picture) {
      return;
    }
    if (picture?.exercise !== this._picture?.exercise) {
      this._quantity = picture?.matrices.weights ? 'weights' : 'scores';
      this._scaled = picture?.scaled ?? true;
      this._temperature = 1;
    }
    this._picture = picture;
    this._update();
  }

  get view(): View {
    return this._view;
  }

  set view(view: View) {
    this._view = view;
    this._update();
  }

  /** What is shown of the picture; what it has if the other is not there. */
  get quantity(): Quantity {
    return this.quantities.includes(this._quantity)
      ? this._quantity
      : 'weights';
  }

  set quantity(quantity: Quantity) {
    this._quantity = quantity;
    this._update();
  }

  /** Weights can be made of scores, but not the other way. */
  get quantities(): readonly Quantity[] {
    return this._picture?.matrices.scores ? ['scores', 'weights'] : ['weights'];
  }

  get temperature(): number {
    return this._temperature;
  }

  set temperature(temperature: number) {
    this._temperature = temperature;
    this._update();
  }

  get scaled(): boolean {
    return this._scaled;
  }

  set scaled(scaled: boolean) {
    this._scaled = scaled;
    this._update();
  }

  get colours(): IColours {
    return this._colours;
  }

  set colours(colours: IColours) {
    this._colours = colours;
    this._update();
  }

  /** What scores are multiplied with: 1 where the numbers are those of the notebook. */
  get exponent(): number {
    const scales = this._picture?.scaled ?? true;
    const dK = this._picture?.dK ?? null;
    return exponentOf(this._temperature, this._scaled, scales, dK);
  }

  /** What is drawn, first to last. Empty where there is no picture. */
  get layers(): readonly ILayer[] {
    this._layers ??= layersOf(this._known(), this._view, this._colours);
    return this._layers;
  }

  /** All of mine, reference and difference that there are, whatever is drawn. */
  get available(): readonly Kind[] {
    const known = this._known();
    return KINDS.filter(kind => known.has(kind));
  }

  get cursor(): ICursor | null {
    return this._cursor;
  }

  /** The cell that is looked at, kept inside the matrix. */
  set cursor(cursor: ICursor | null) {
    const matrix = this.layers[0]?.matrix;
    const within = (value: number, size: number): number =>
      Math.min(size - 1, Math.max(0, Math.round(value)));
    this._cursor =
      cursor && matrix
        ? {
            row: within(cursor.row, matrix.rows),
            column: within(cursor.column, matrix.columns)
          }
        : null;
    this._changed.emit('cursor');
  }

  /** The value of one cell in what is drawn or could be. */
  valueAt(kind: Kind, { row, column }: ICursor): number | null {
    const matrix = this._known().get(kind);
    return matrix && row < matrix.rows && column < matrix.columns
      ? matrix.values[row * matrix.columns + column]
      : null;
  }

  /** Row, column and size of the largest difference; null where there is none. */
  get farthest(): readonly [number, number, number] | null {
    const matrix = this._known().get('difference');
    return matrix ? farthestOf(matrix) : null;
  }

  private _known(): ReadonlyMap<Kind, IMatrix> {
    this._matrices ??= matricesOf(this._picture, this.quantity, this.exponent);
    return this._matrices;
  }

  private _update(): void {
    this._matrices = null;
    this._layers = null;
    const matrix = this.layers[0]?.matrix;
    const cursor = this._cursor;
    if (
      cursor &&
      !(matrix && cursor.row < matrix.rows && cursor.column < matrix.columns)
    ) {
      this._cursor = null;
    }
    this._changed.emit('layers');
  }

  private _changed = new Signal<this, HeatmapChange>(this);
  private _picture: IPicture | null = null;
  private _view: View = 'all';
  private _quantity: Quantity = 'weights';
  private _temperature = 1;
  private _scaled = true;
  private _colours: IColours = { sequential: 'cividis', diverging: 'PuOr' };
  private _cursor: ICursor | null = null;
  private _matrices: ReadonlyMap<Kind, IMatrix> | null = null;
  private _layers: readonly ILayer[] | null = null;
}
