import type { TranslationBundle } from '@jupyterlab/translation';

import { element } from '../dom';
import { ILayer } from './layers';
import { HeatmapModel } from './model';
import { nameOf, written } from './words';

const MOST_SHOWN = 24;

/** The same numbers as a table, made only while it is open. */
export class TableTwin {
  constructor(
    private readonly model: HeatmapModel,
    private readonly trans: TranslationBundle
  ) {
    this._tables = element('div', { class: 'jp-attention-tables' });
    this.node = element(
      'details',
      { class: 'jp-attention-table' },
      element('summary', {}, trans.__('The same as a table')),
      this._tables
    );
    this.node.addEventListener('toggle', () => this.update());
  }

  readonly node: HTMLDetailsElement;

  update(): void {
    if (this.node.open) {
      this._tables.replaceChildren(
        ...this.model.layers.map(layer => this._table(layer))
      );
    } else {
      this._tables.replaceChildren();
    }
  }

  private _table(layer: ILayer): HTMLElement {
    const { model, trans } = this;
    const { rows, columns, values } = layer.matrix;
    const picture = model.picture!;
    const [firstRow, shownRows] = this._window(model.cursor?.row ?? 0, rows);
    const [firstColumn, shownColumns] = this._window(
      model.cursor?.column ?? 0,
      columns
    );
    const whole = shownRows === rows && shownColumns === columns;
    const caption = whole
      ? nameOf(layer.kind, trans)
      : trans.__(
          '%1: %2 of %3 rows and %4 of %5 columns, around the cell that is looked at',
          nameOf(layer.kind, trans),
          shownRows,
          rows,
          shownColumns,
          columns
        );
    const across = Array.from(
      { length: shownColumns },
      (_, i) => firstColumn + i
    );
    const down = Array.from({ length: shownRows }, (_, i) => firstRow + i);
    const head = element(
      'tr',
      {},
      element('th', { scope: 'col' }, trans.__('query \\ key')),
      ...across.map(column =>
        element(
          'th',
          { scope: 'col' },
          picture.keyTokens[column] ?? String(column)
        )
      )
    );
    const body = down.map(row =>
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, picture.tokens[row] ?? String(row)),
        ...across.map(column =>
          element('td', {}, written(layer.kind, values[row * columns + column]))
        )
      )
    );
    return element(
      'div',
      {
        class: 'jp-attention-scroll',
        tabindex: '0',
        role: 'region',
        'aria-label': caption
      },
      element(
        'table',
        {},
        element('caption', {}, caption),
        element('thead', {}, head),
        element('tbody', {}, ...body)
      )
    );
  }

  /** The first place and how many: all, or those around the cell that is looked at. */
  private _window(place: number, size: number): [number, number] {
    const shown = Math.min(size, MOST_SHOWN);
    const first = Math.min(Math.max(0, place - MOST_SHOWN / 2), size - shown);
    return [first, shown];
  }

  private readonly _tables: HTMLElement;
}
