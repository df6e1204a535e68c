import type { TranslationBundle } from '@jupyterlab/translation';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { element, say } from '../dom';
import { LiveModel } from '../live/model';
import { otherVersionWords } from '../live/words';
import { ILiveNotebook, ILiveNotebooks } from '../tokens';
import { Controls } from './controls';
import { HeatmapChange, HeatmapModel } from './model';
import { Plots } from './plots';
import { TableTwin } from './table';
import { notices } from './notices';
import { spoken, summary } from './words';

const QUIET = 300; // ms after which a picture that has changed is described anew
const PADDING = 16;

/** The Attention section: the picture of the cell that has run last, and its controls. */
export class HeatmapPanel extends Widget {
  constructor(
    notebooks: ILiveNotebooks,
    readonly model: HeatmapModel,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.id = 'jp-attention-heatmap';
    this.addClass('jp-attention-section');
    this.title.label = trans.__('Attention');
    this.node.tabIndex = -1;
    this._controls = new Controls(model, trans);
    this._plots = new Plots(model, trans);
    this._table = new TableTwin(model, trans);
    this._empty = element('p', { class: 'jp-attention-empty' });
    this._notices = element('div', { class: 'jp-attention-notices' });
    this._status = element('p', {
      class: 'jp-attention-status',
      role: 'status'
    });
    this._choice = element('select', {
      class: 'jp-attention-select',
      'aria-label': trans.__('Picture')
    });
    this._choice.addEventListener('change', () => {
      this.model.picture = this._live?.pictures.get(this._choice.value) ?? null;
    });
    this._body = element(
      'div',
      {},
      this._choice,
      this._controls.node,
      this._plots.node,
      this._notices,
      this._table.node,
      this._status
    );
    this.node.append(this._empty, this._body);
    model.changed.connect(this._onModel, this);
    notebooks.currentChanged.connect((_, current) => this._follow(current));
    this._follow(notebooks.current);
    this._refresh();
  }

  dispose(): void {
    if (!this.isDisposed) {
      clearTimeout(this._describing);
      this._live?.changed.disconnect(this._onLive, this);
      this._plots.dispose();
      super.dispose();
    }
  }

  /** The page has another theme. */
  onTheme(): void {
    this._plots.forgetInk();
    this._draw();
  }

  protected onActivateRequest(_message: Message): void {
    if (!this._plots.focus()) {
      this.node.focus();
    }
  }

  protected onAfterShow(_message: Message): void {
    this._measure();
    this._refresh();
  }

  protected onResize(_message: Widget.ResizeMessage): void {
    this._measure();
    this._keepRoom();
    this._fit();
  }

  private _follow(current: ILiveNotebook | null): void {
    this._live?.changed.disconnect(this._onLive, this);
    this._live = current?.model ?? null;
    this._live?.changed.connect(this._onLive, this);
    this._choose();
    this._refresh();
  }

  private _onLive(_: LiveModel, change: string): void {
    if (change === 'pictures') {
      this._choose();
    } else if (change === 'connection') {
      this._refresh();
    }
  }

  /** Show the picture that came last; what was chosen stays only until then. */
  private _choose(): void {
    const pictures = [...(this._live?.pictures.values() ?? [])];
    const newest = pictures[pictures.length - 1] ?? null;
    this.model.picture = newest;
    if (newest === null) {
      this._refresh();
    }
  }

  private _onModel(_: HeatmapModel, change: HeatmapChange): void {
    if (change === 'cursor') {
      this._plots.mark();
      this._tell(spoken(this.model, this.trans));
      return;
    }
    this._refresh();
  }

  private _refresh(): void {
    if (!this.isVisible || !this._plots) {
      return;
    }
    const { picture } = this.model;
    this._empty.hidden = picture !== null;
    this._body.hidden = picture === null;
    if (!picture) {
      this._plots.clear();
      this._empty.textContent = this._emptyWords();
      return;
    }
    this._list();
    this._controls.update();
    this._draw();
    // What was said of other numbers goes at once; the new words wait, since a screen reader
    // would read out those of every frame.
    say(this._status, '');
    clearTimeout(this._describing);
    this._describing = window.setTimeout(() => this._describe(), QUIET);
  }

  private _draw(): void {
    if (!this.isVisible || !this.model.picture) {
      return;
    }
    const width = this._width || this._measure();
    if (width <= 0) {
      return;
    }
    this._drawnWidth = width;
    // One drawing at a time, and one more for whatever has come meanwhile.
    if (this._drawing) {
      this._again = true;
      return;
    }
    this._drawing = true;
    this._plots
      .draw(width)
      .catch(error => {
        console.error('The heatmap could not be drawn.', error);
        this._table.node.open = true;
        this._notices.replaceChildren(
          element(
            'p',
            {},
            this.trans.__(
              'The picture could not be drawn; its numbers are in the table.'
            )
          )
        );
      })
      .finally(() => {
        this._drawing = false;
        if (this._again && !this.isDisposed) {
          this._again = false;
          this._draw();
        }
      });
  }

  /** In words and as a table, once the picture has come to rest. */
  private _describe(): void {
    const words = notices(this.model, this._drawnWidth, this.trans);
    this._notices.replaceChildren(...words.map(one => element('p', {}, one)));
    this._tell(
      spoken(this.model, this.trans) || summary(this.model, this.trans)
    );
    this._table.update();
    // A scroll bar may have come or gone.
    this._measure();
    this._fit();
  }

  private _tell(words: string): void {
    say(this._status, words);
    this._keepRoom();
  }

  /** What is said keeps its room when it is gone, so that nothing jumps. */
  private _keepRoom(): void {
    const { style, textContent } = this._status;
    if (textContent) {
      style.minHeight = '';
      style.minHeight = `${this._status.offsetHeight}px`;
    }
  }

  private _list(): void {
    const pictures = [...(this._live?.pictures.values() ?? [])];
    this._choice.hidden = pictures.length < 2;
    const there = Array.from(this._choice.options, option => option.value);
    if (there.join('\n') !== pictures.map(one => one.exercise).join('\n')) {
      this._choice.replaceChildren(
        ...pictures.map(({ exercise, title }) =>
          element('option', { value: exercise }, title)
        )
      );
    }
    this._choice.value = this.model.picture?.exercise ?? '';
  }

  private _emptyWords(): string {
    const { trans } = this;
    if (this._live?.otherVersion) {
      return otherVersionWords(trans);
    }
    switch (this._live?.connection) {
      case undefined:
        return trans.__('Open a lesson: what its cells compute is drawn here.');
      case 'no kernel':
        return trans.__(
          'No kernel is running. Start it, and run the lesson’s cells.'
        );
      case 'waiting':
        return trans.__(
          'Run the lesson’s first cell; what the next cells compute is drawn here.'
        );
      default:
        return trans.__(
          'Nothing to draw yet. Run the cell that computes scores or weights.'
        );
    }
  }

  /** Look how wide a picture may be: not for each one, since the page is laid out for it. */
  private _measure(): number {
    this._width = Math.max(0, this.node.clientWidth - PADDING);
    return this._width;
  }

  /** Draw anew where the last drawing had another width. */
  private _fit(): void {
    if (this._width > 0 && this._width !== this._drawnWidth) {
      this._draw();
    }
  }

  private _live: LiveModel | null = null;
  private readonly _controls: Controls;
  private readonly _plots: Plots;
  private readonly _table: TableTwin;
  private readonly _empty: HTMLElement;
  private readonly _body: HTMLElement;
  private readonly _notices: HTMLElement;
  private readonly _status: HTMLElement;
  private readonly _choice: HTMLSelectElement;
  private _describing = 0;
  private _width = 0;
  private _drawnWidth = 0;
  private _drawing = false;
  private _again = false;
}
