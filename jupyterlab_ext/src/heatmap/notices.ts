import type { TranslationBundle } from '@jupyterlab/translation';

import { HeatmapModel } from './model';

/** What the student should know about a picture that is `pixels` wide. */
export function notices(
  model: HeatmapModel,
  pixels: number,
  trans: TranslationBundle
): string[] {
  const { picture } = model;
  if (!picture) {
    return [];
  }
  return [
    ...picture.notes,
    ...aboutReference(model, trans),
    ...aboutControls(model, trans),
    ...aboutSize(model, pixels, trans)
  ];
}

function aboutReference(
  model: HeatmapModel,
  trans: TranslationBundle
): string[] {
  const has = (kind: 'mine' | 'reference' | 'difference'): boolean =>
    model.available.includes(kind);
  if (!has('mine')) {
    return model.picture?.notes.length
      ? []
      : [trans.__('There is nothing to draw yet.')];
  }
  if (!has('reference')) {
    return [trans.__('There is no reference to compare with.')];
  }
  return has('difference')
    ? []
    : [
        trans.__(
          'Yours and the reference have different shapes, so there is no difference.'
        )
      ];
}

function aboutControls(
  model: HeatmapModel,
  trans: TranslationBundle
): string[] {
  if (model.exponent === 1) {
    return [];
  }
  const weights = model.picture?.matrices.weights;
  if (
    model.quantity === 'weights' &&
    weights?.values.some(value => value < 0)
  ) {
    return [
      trans.__(
        'Some of your weights are below 0: temperature and scaling cannot change them.'
      )
    ];
  }
  return [
    trans.__('Recomputed here from your numbers; your notebook is unchanged.')
  ];
}

function aboutSize(
  model: HeatmapModel,
  pixels: number,
  trans: TranslationBundle
): string[] {
  const matrix = model.layers[0]?.matrix;
  if (
    !matrix ||
    pixels <= 0 ||
    Math.max(matrix.rows, matrix.columns) <= pixels
  ) {
    return [];
  }
  return [
    trans.__(
      '%1 x %2 entries on fewer pixels: not each can be seen. Drag over the picture to look closer; a double click shows all again.',
      matrix.rows,
      matrix.columns
    )
  ];
}
