import type { TranslationBundle } from '@jupyterlab/translation';

import { ILayer, Kind } from './layers';
import { HeatmapModel, ICursor } from './model';
import { signed, spelled } from './numbers';
import { Diverging, Sequential } from './palette';

export function nameOf(kind: Kind, trans: TranslationBundle): string {
  switch (kind) {
    case 'mine':
      return trans.__('Yours');
    case 'reference':
      return trans.__('Reference');
    case 'difference':
      return trans.__('Difference');
  }
}

export function written(kind: Kind, value: number): string {
  return kind === 'difference' ? signed(value) : spelled(value);
}

/** One cell, line by line: its tokens, then its value in each matrix that there is. */
export function cellLines(
  model: HeatmapModel,
  cursor: ICursor,
  trans: TranslationBundle
): string[] {
  const { picture } = model;
  if (!picture) {
    return [];
  }
  const lines = [
    trans.__('Query %1', picture.tokens[cursor.row] ?? String(cursor.row)),
    trans.__(
      'key %1',
      picture.keyTokens[cursor.column] ?? String(cursor.column)
    )
  ];
  for (const kind of model.available) {
    const value = model.valueAt(kind, cursor);
    if (value !== null) {
      lines.push(`${nameOf(kind, trans)} ${written(kind, value)}`);
    }
  }
  return lines;
}

/** The cell that is looked at, as it is read out; empty where none is. */
export function spoken(model: HeatmapModel, trans: TranslationBundle): string {
  const { cursor } = model;
  const matrix = model.layers[0]?.matrix;
  if (!cursor || !matrix) {
    return '';
  }
  const [query, key, ...values] = cellLines(model, cursor, trans);
  return [
    `${query}, ${key}.`,
    ...values.map(value => `${value}.`),
    trans.__(
      'Row %1 of %2, column %3 of %4.',
      cursor.row + 1,
      matrix.rows,
      cursor.column + 1,
      matrix.columns
    )
  ].join(' ');
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
    trans.__(
      '%1: %2 of %3 queries and %4 keys.',
      picture.title,
      quantity,
      rows,
      columns
    )
  ];
  const [row, column, apart] = model.farthest ?? [0, 0, null];
  if (apart !== null && !(Math.abs(apart) < 1e-4)) {
    parts.push(
      trans.__(
        'Farthest from the reference: %1, at query %2, key %3.',
        written('difference', apart),
        picture.tokens[row] ?? String(row),
        picture.keyTokens[column] ?? String(column)
      )
    );
  } else if (apart !== null) {
    parts.push(trans.__('Yours equal the reference, up to rounding.'));
  }
  return parts.join(' ');
}

/** What the colours of a layer mean. */
export function scaleWords(layer: ILayer, trans: TranslationBundle): string {
  const { low, high, diverging, onlyRounding } = layer.scale;
  const [first, last] = hues(layer.scale.palette, trans);
  const parts = [];
  if (layer.kind === 'reference') {
    parts.push(trans.__('The same colours as yours.'));
  } else if (onlyRounding) {
    parts.push(
      trans.__('Nothing but rounding: all differences are below 0.001.')
    );
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
  return [...parts, ...oddities(layer, trans)].join(' ');
}

/** What stands for numbers that are none, if there are any. */
function oddities(layer: ILayer, trans: TranslationBundle): string[] {
  const { nan, infinite, minusInfinite } = layer.extent;
  const said = [];
  if (nan > 0) {
    said.push(
      trans._n(
        'Vermilion: %1 entry is NaN.',
        'Vermilion: %1 entries are NaN.',
        nan
      )
    );
  }
  if (minusInfinite > 0) {
    said.push(
      trans._n(
        'Grey: %1 entry is minus infinity (masked).',
        'Grey: %1 entries are minus infinity (masked).',
        minusInfinite
      )
    );
  }
  if (infinite > 0) {
    said.push(
      trans._n(
        'Pink: %1 entry is infinite.',
        'Pink: %1 entries are infinite.',
        infinite
      )
    );
  }
  return said;
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
