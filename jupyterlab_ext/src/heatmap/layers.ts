import { IMatrix, IPicture } from '../live/messages';
import {
  difference,
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

export type Kind = 'mine' | 'reference' | 'difference';
export type View = Kind | 'all';
export type Quantity = 'scores' | 'weights';

/** From first to last, as they are drawn. */
export const KINDS: readonly Kind[] = ['mine', 'reference', 'difference'];

/** One matrix as it is drawn. */
export interface ILayer {
  readonly kind: Kind;
  readonly matrix: IMatrix;
  readonly scale: IScale;
  readonly extent: IExtent;
}

export interface IColours {
  readonly sequential: Sequential;
  readonly diverging: Diverging;
}

/** All of mine, the reference's and the difference that a picture has, recomputed. */
export function matricesOf(
  picture: IPicture | null,
  quantity: Quantity,
  exponent: number
): ReadonlyMap<Kind, IMatrix> {
  const found = picture?.matrices ?? {};
  const known = new Map<Kind, IMatrix>();
  const { scores, weights, reference_scores, reference_weights } = found;
  const mine = recomputed(scores, weights, quantity, exponent);
  const reference = recomputed(
    reference_scores,
    reference_weights,
    quantity,
    exponent
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
  return known;
}

/** What is drawn of them, with its colours. */
export function layersOf(
  known: ReadonlyMap<Kind, IMatrix>,
  view: View,
  { sequential, diverging }: IColours
): ILayer[] {
  const wanted = KINDS.filter(
    kind => known.has(kind) && (view === 'all' || view === kind)
  );
  // What was asked for may not be there: the student's own is drawn instead.
  const drawn =
    wanted.length > 0 || !known.has('mine') ? wanted : (['mine'] as const);
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

/** Row, column and size of the entry farthest from 0; a NaN is farther than all. */
export function farthestOf(matrix: IMatrix): [number, number, number] {
  const { values, columns } = matrix;
  let at = 0;
  for (let i = 1; i < values.length && !Number.isNaN(values[at]); i++) {
    // Not "greater than", so that a NaN is found.
    if (!(Math.abs(values[i]) <= Math.abs(values[at]))) {
      at = i;
    }
  }
  return [Math.floor(at / columns), at % columns, values[at]];
}

function recomputed(
  scores: IMatrix | undefined,
  weights: IMatrix | undefined,
  quantity: Quantity,
  exponent: number
): IMatrix | null {
  if (quantity === 'scores') {
    return scores ? scaledScores(scores, exponent) : null;
  }
  if (weights) {
    // Entries below 0 cannot be changed by a temperature; they are shown as they are.
    return reweighed(weights, exponent) ?? weights;
  }
  return scores ? softmaxRows(scores, exponent) : null;
}
