import type { TranslationBundle } from '@jupyterlab/translation';
import { ISignal, Signal } from '@lumino/signaling';

import { IMatrix, IPicture } from '../live/messages';
import {
  difference,
  exponentOf,
  extent,
  IExtent,
  reweighed,
  scaledScores,
  softmaxRows
} from './matrix';
import {
  differenceScale,
  Diverging,
  IScale,
  scaleFor,
  Sequential
} from './palette';
import { signed, spelled } from './numbers';

export type Kind = 'mine' | 'reference' | 'difference';
export type View = Kind | 'all';
export type Quantity = 'scores' | 'weights';

/** One matrix as it is drawn. */
export interface ILayer {
  readonly kind: Kind;
  readonly matrix: IMatrix;
  readonly scale: IScale;
  readonly extent: IExtent;
}

export interface ICursor {
  readonly row: number;
  readonly column: number;
}

export interface IColours {
  readonly sequential: Sequential;
  readonly diverging: Diverging;
}

/** What has changed: the numbers that are drawn, or only the cell that is looked at. */
export type HeatmapChange = 'layers' | 'cursor';

const KINDS: readonly Kind[] = ['mine', 'reference', 'difference'];

/**
 * What the Attention panel shows of one picture, and how it is changed by the controls.
 *
 * Knows no page and no Bokeh.
 */
export class HeatmapModel {
  constructor(private readonly trans: TranslationBundle) {}

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

  get quantity(): Quantity {
    return this._quantity;
  }

  set quantity(quantity: Quantity) {
    this._quantity = quantity;
    this._update();
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

  /** Scores are divided by the temperature, and by sqrt(d_k) as the switch has it. */
  get exponent(): number {
    const scales = this._picture?.scaled ?? true;
    const dK = this._picture?.dK ?? null;
    return exponentOf(this._temperature, this._scaled, scales, dK);
  }

  /** Whether the numbers are those of the notebook, untouched by the controls. */
  get untouched(): boolean {
    return this.exponent === 1;
  }

  /** The quantities that can be shown: weights can be made of scores, but not the other way. */
  get quantities(): readonly Quantity[] {
    const found = this._picture?.matrices ?? {};
    return found.scores ? ['scores', 'weights'] : ['weights'];
  }

  /** What is drawn, first to last. Empty where there is no picture. */
  get layers(): readonly ILayer[] {
    this._layers ??= this._computed();
    return this._layers;
  }

  /** All of mine, reference and difference that there are, whatever is drawn. */
  get available(): readonly Kind[] {
    this.layers;
    return KINDS.filter(kind => this._known.has(kind));
  }

  get cursor(): ICursor | null {
    return this._cursor;
  }

  /** The cell that is looked at, kept inside the matrix. */
  set cursor(cursor: ICursor | null) {
    const matrix = this.layers[0]?.matrix;
    const within = (value: number, size: number) =>
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
    const matrix = this._known.get(kind);
    return matrix && row < matrix.rows && column < matrix.columns
      ? matrix.values[row * matrix.columns + column]
      : null;
  }

  /** Row, column and size of the largest difference (a NaN is the largest of all). */
  get farthest(): readonly [number, number, number] | null {
    this.layers;
    const matrix = this._known.get('difference');
    if (!matrix) {
      return null;
    }
    let at = 0;
    for (let i = 1; i < matrix.values.length; i++) {
      // Not "greater than", so that a NaN is found; one that is found stays.
      if (!(Math.abs(matrix.values[i]) <= Math.abs(matrix.values[at]))) {
        at = i;
        if (Number.isNaN(matrix.values[i])) {
          break;
        }
      }
    }
    const { columns } = matrix;
    return [Math.floor(at / columns), at % columns, matrix.values[at]];
  }

  /** The cell that is looked at, in words. */
  spoken(cursor: ICursor | null = this._cursor): string {
    const first = this.layers[0];
    if (!cursor || !first || !this._picture) {
      return '';
    }
    const { trans } = this;
    const query = this._picture.tokens[cursor.row] ?? String(cursor.row);
    const key = this._picture.keyTokens[cursor.column] ?? String(cursor.column);
    const parts = [trans.__('Query %1, key %2.', query, key)];
    for (const kind of this.available) {
      const value = this.valueAt(kind, cursor);
      if (value !== null) {
        parts.push(`${this.nameOf(kind)} ${this.written(kind, value)}.`);
      }
    }
    const { rows, columns } = first.matrix;
    parts.push(
      trans.__(
        'Row %1 of %2, column %3 of %4.',
        cursor.row + 1,
        rows,
        cursor.column + 1,
        columns
      )
    );
    return parts.join(' ');
  }

  written(kind: Kind, value: number): string {
    return kind === 'difference' ? signed(value) : spelled(value);
  }

  nameOf(kind: Kind): string {
    switch (kind) {
      case 'mine':
        return this.trans.__('Yours');
      case 'reference':
        return this.trans.__('Reference');
      default:
        return this.trans.__('Difference');
    }
  }

  private _update(): void {
    this._layers = null;
    const matrix = this.layers[0]?.matrix;
    if (
      this._cursor &&
      (!matrix ||
        this._cursor.row >= matrix.rows ||
        this._cursor.column >= matrix.columns)
    ) {
      this._cursor = null;
    }
    this._changed.emit('layers');
  }

  private _computed(): ILayer[] {
    const found = this._picture?.matrices ?? {};
    const known = new Map<Kind, IMatrix>();
    const mine = this._matrix(found.scores, found.weights);
    const reference = this._matrix(
      found.reference_scores,
      found.reference_weights
    );
    const apart = mine && reference && difference(mine, reference);
    if (mine) {
      known.set('mine', mine);
    }
    if (reference) {
      known.set('reference', reference);
    }
    if (apart) {
      known.set('difference', apart);
    }
    this._known = known;
    const wanted = KINDS.filter(
      kind => known.has(kind) && (this._view === 'all' || this._view === kind)
    );
    // What was asked for may not be there: the student's own always is.
    const drawn = wanted.length > 0 || !mine ? wanted : ['mine' as const];
    return this._coloured(drawn, known);
  }

  private _coloured(
    drawn: readonly Kind[],
    known: ReadonlyMap<Kind, IMatrix>
  ): ILayer[] {
    const { sequential, diverging } = this._colours;
    // One scale for both, so that equal colours are equal numbers.
    const both = [known.get('mine'), known.get('reference')].filter(
      matrix => matrix !== undefined
    );
    const shared = scaleFor(extent(...both), sequential, diverging);
    return drawn.map(kind => {
      const matrix = known.get(kind)!;
      const found = extent(matrix);
      const scale =
        kind === 'difference' ? differenceScale(found, diverging) : shared;
      return { kind, matrix, scale, extent: found };
    });
  }

  private _matrix(
    scores: IMatrix | undefined,
    weights: IMatrix | undefined
  ): IMatrix | null {
    if (this._quantity === 'scores') {
      return scores ? scaledScores(scores, this.exponent) : null;
    }
    if (weights) {
      // Entries below 0 cannot be changed by a temperature; they are shown as they are.
      return reweighed(weights, this.exponent) ?? weights;
    }
    return scores ? softmaxRows(scores, this.exponent) : null;
  }

  private _changed = new Signal<this, HeatmapChange>(this);
  private _picture: IPicture | null = null;
  private _view: View = 'all';
  private _quantity: Quantity = 'weights';
  private _temperature = 1;
  private _scaled = true;
  private _colours: IColours = { sequential: 'cividis', diverging: 'PuOr' };
  private _cursor: ICursor | null = null;
  private _layers: ILayer[] | null = null;
  private _known: ReadonlyMap<Kind, IMatrix> = new Map();
}
