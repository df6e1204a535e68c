import type { TranslationBundle } from '@jupyterlab/translation';

import { element, say } from '../dom';
import { Quantity, View } from './layers';
import { HeatmapModel } from './model';
import { spelled } from './numbers';
import { nameOf } from './words';

const VIEWS: readonly View[] = ['all', 'mine', 'reference', 'difference'];
/** The slider is logarithmic: temperatures from 1/10 to 10. */
const REACH = 1;

/** What is drawn, the temperature, and whether scores are scaled. */
export class Controls {
  constructor(
    private readonly model: HeatmapModel,
    private readonly trans: TranslationBundle
  ) {
    this._view = this._choice(trans.__('Show'), value => {
      model.view = value as View;
    });
    this._quantity = this._choice(trans.__('of'), value => {
      model.quantity = value as Quantity;
    });
    this._slider = element('input', {
      type: 'range',
      min: String(-REACH),
      max: String(REACH),
      step: '0.02',
      value: '0',
      class: 'jp-attention-slider'
    });
    this._slider.addEventListener('input', () => {
      const wanted = Math.pow(10, Number(this._slider.value));
      // Next to the middle 1 is meant.
      model.temperature = Math.abs(Math.log10(wanted)) < 0.01 ? 1 : wanted;
    });
    this._temperature = element('output', { class: 'jp-attention-value' });
    this._scaled = element('input', { type: 'checkbox' });
    this._scaled.addEventListener('change', () => {
      model.scaled = this._scaled.checked;
    });
    this._scaledLabel = element('span');
    this.node = element(
      'div',
      { class: 'jp-attention-controls' },
      element(
        'div',
        { class: 'jp-attention-row' },
        this._view.label,
        this._quantity.label
      ),
      element(
        'label',
        { class: 'jp-attention-row' },
        element('span', {}, trans.__('Temperature')),
        this._slider,
        this._temperature
      ),
      element(
        'label',
        { class: 'jp-attention-row' },
        this._scaled,
        this._scaledLabel
      )
    );
    this.update();
  }

  readonly node: HTMLElement;

  /** Follow the model. */
  update(): void {
    const { model, trans } = this;
    const names: Record<View, string> = {
      all: trans.__('Side by side'),
      mine: nameOf('mine', trans),
      reference: nameOf('reference', trans),
      difference: nameOf('difference', trans)
    };
    const views = VIEWS.filter(
      view =>
        view === 'mine' ||
        (view === 'all'
          ? model.available.length > 1
          : model.available.includes(view))
    );
    const view = views.includes(model.view) ? model.view : 'mine';
    fill(this._view.select, views, names, view);
    fill(
      this._quantity.select,
      model.quantities,
      { scores: trans.__('Scores'), weights: trans.__('Weights') },
      model.quantity
    );
    const temperature = spelled(model.temperature, 2);
    this._slider.value = String(Math.log10(model.temperature));
    say(this._temperature, temperature);
    this._slider.setAttribute(
      'aria-valuetext',
      trans.__('temperature %1', temperature)
    );
    const dK = model.picture?.dK ?? null;
    this._scaled.disabled = dK === null;
    this._scaled.checked = model.scaled;
    say(
      this._scaledLabel,
      dK === null
        ? trans.__('Scale by √d_k (d_k is not known here)')
        : trans.__('Scale by √d_k = √%1', dK)
    );
  }

  private _choice(
    label: string,
    chosen: (value: string) => void
  ): { label: HTMLLabelElement; select: HTMLSelectElement } {
    const select = element('select', { class: 'jp-attention-select' });
    select.addEventListener('change', () => chosen(select.value));
    return {
      label: element('label', {}, element('span', {}, label), select),
      select
    };
  }

  private readonly _view: {
    label: HTMLLabelElement;
    select: HTMLSelectElement;
  };
  private readonly _quantity: {
    label: HTMLLabelElement;
    select: HTMLSelectElement;
  };
  private readonly _slider: HTMLInputElement;
  private readonly _temperature: HTMLOutputElement;
  private readonly _scaled: HTMLInputElement;
  private readonly _scaledLabel: HTMLElement;
}

/** Give a list its choices; one that is open with the same choices stays open. */
function fill<Value extends string>(
  select: HTMLSelectElement,
  values: readonly Value[],
  names: Record<Value, string>,
  chosen: Value
): void {
  const there = Array.from(select.options, option => option.value);
  if (there.join() !== values.join()) {
    select.replaceChildren(
      ...values.map(value => element('option', { value }, names[value]))
    );
  }
  select.value = chosen;
}
