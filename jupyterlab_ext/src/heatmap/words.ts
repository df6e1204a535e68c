import type { TranslationBundle } from '@jupyterlab/translation';

import { HeatmapModel, ILayer } from './model';
import { spelled } from './numbers';
import { Diverging, Sequential } from './palette';

/** What the colours of a layer mean. */
export function scaleWords(layer: ILayer, trans: TranslationBundle): string {
  const { low, high, diverging, onlyRounding } = layer.scale;
  const [first, last] = hues(layer.scale.palette, trans);
  const parts = [];
  if (layer.kind === 'reference') {
    parts.push(trans.__('The same colours as yours.'));
  } else if (onlyRounding) {
    parts.push(trans.__('Nothing but rounding: all differences are below 0.001.'));
  } else if (diverging) {
    parts.push(
      trans.__(
        'Colour: %1 is below 0 (to %2), %3 is above 0 (to %4), nearly white is 0.',
        first,
        spelled(low, 3),
        last,
        spelled(high, 3)
      )
    );
  } else {
    parts.push(
      trans.__(
        'Colour: %1 is %2, %3 is %4.',
        first,
        spelled(low, 3),
        last,
        spelled(high, 3)
      )
    );
  }
  const { nan, infinite, minusInfinite } = layer.extent;
  if (nan > 0) {
    parts.push(trans._n('Vermilion: %1 entry is NaN.', 'Vermilion: %1 entries are NaN.', nan));
  }
  if (minusInfinite > 0) {
    parts.push(
      trans._n(
        'Grey: %1 entry is minus infinity (masked).',
        'Grey: %1 entries are minus infinity (masked).',
        minusInfinite
      )
    );
  }
  if (infinite > 0) {
    parts.push(
      trans._n('Pink: %1 entry is infinite.', 'Pink: %1 entries are infinite.', infinite)
    );
  }
  return parts.join(' ');
}

/** The names of a palette's first and last colour. */
function hues(
  palette: Sequential | Diverging,
  trans: TranslationBundle
): [string, string] {
  switch (palette) {
    case 'cividis':
      return [trans.__('dark blue'), trans.__('yellow')];
    case 'viridis':
      return [trans.__('violet'), trans.__('yellow')];
    case 'greys':
      return [trans.__('light grey'), trans.__('black')];
    case 'PuOr':
      return [trans.__('purple'), trans.__('orange')];
    case 'RdBu':
      return [trans.__('blue'), trans.__('red')];
  }
}

/** What the student should know about the picture as a whole. */
export function notices(
  model: HeatmapModel,
  pixels: number,
  trans: TranslationBundle
): string[] {
  const picture = model.picture;
  if (!picture) {
    return [];
  }
  const said = [...picture.notes];
  const { scores, weights, reference_scores, reference_weights } =
    picture.matrices;
  if (!scores && !weights && said.length === 0) {
    said.push(trans.__('There is nothing to draw yet.'));
  }
  if ((scores || weights) && !reference_scores && !reference_weights) {
    said.push(trans.__('There is no reference to compare with.'));
  } else if (
    model.available.includes('reference') &&
    model.available.includes('mine') &&
    !model.available.includes('difference')
  ) {
    said.push(
      trans.__('Yours and the reference have different shapes, so there is no difference.')
    );
  }
  if (!model.untouched) {
    const negative = weights?.values.some(value => value < 0) ?? false;
    said.push(
      model.quantity === 'weights' && negative
        ? trans.__(
            'Some of your weights are below 0: temperature and scaling cannot change them.'
          )
        : trans.__('Recomputed here from your numbers; your notebook is unchanged.')
    );
  }
  const matrix = model.layers[0]?.matrix;
  if (matrix && pixels > 0 && Math.max(matrix.rows, matrix.columns) > pixels) {
    said.push(
      trans.__(
        '%1 x %2 entries on fewer pixels: not each can be seen. Drag over the picture to look closer; a double click shows all again.',
        matrix.rows,
        matrix.columns
      )
    );
  }
  return said;
}

/** The picture in one or two sentences, for who does not see it. */
export function summary(model: HeatmapModel, trans: TranslationBundle): string {
  const { picture } = model;
  const layer = model.layers[0];
  if (!picture || !layer) {
    return '';
  }
  const { rows, columns } = layer.matrix;
  const quantity =
    model.quantity === 'scores' ? trans.__('scores') : trans.__('weights');
  const parts = [
    trans.__('%1: %2 of %3 queries and %4 keys.', picture.title, quantity, rows, columns)
  ];
  const [row, column, apart] = model.farthest ?? [0, 0, null];
  if (apart !== null && !(Math.abs(apart) < 1e-4)) {
    parts.push(
      trans.__(
        'Farthest from the reference: %1, at query %2, key %3.',
        model.written('difference', apart),
        picture.tokens[row] ?? String(row),
        picture.keyTokens[column] ?? String(column)
      )
    );
  } else if (apart !== null) {
    parts.push(trans.__('Yours equal the reference, up to rounding.'));
  }
  return parts.join(' ');
}
