import type { TranslationBundle } from '@jupyterlab/translation';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { button, element } from '../dom';
import { goTo } from '../lesson/notebook';
import { LiveModel } from '../live/model';
import { otherVersionWords } from '../live/words';
import { ILiveNotebook, ILiveNotebooks } from '../tokens';
import { ILine, ISummary, summaryOf } from './model';

/** The Progress section: points, attempts, what is next. */
export class ProgressPanel extends Widget {
  constructor(
    notebooks: ILiveNotebooks,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.id = 'jp-attention-progress';
    this.addClass('jp-attention-section');
    this.title.label = trans.__('Progress');
    this.node.tabIndex = -1;
    notebooks.currentChanged.connect((_, current) => this._follow(current));
    this._follow(notebooks.current);
  }

  protected onActivateRequest(_message: Message): void {
    (this.node.querySelector<HTMLElement>('button') ?? this.node).focus();
  }

  private _follow(current: ILiveNotebook | null): void {
    this._live?.model.changed.disconnect(this._onLive, this);
    this._live = current;
    current?.model.changed.connect(this._onLive, this);
    this._show();
  }

  private _onLive(_: LiveModel, change: string): void {
    if (change === 'progress' || change === 'connection') {
      this._show();
    }
  }

  private _show(): void {
    const model = this._live?.model ?? null;
    const summary = summaryOf(model, this.trans);
    // Drawn anew as a whole: the button that was pressed is found again by its exercise.
    const focused = this.node.contains(document.activeElement)
      ? document.activeElement?.closest('li')?.getAttribute('data-exercise')
      : null;
    this.node.replaceChildren(
      ...(model?.otherVersion || !summary
        ? [
            element(
              'p',
              { class: 'jp-attention-empty' },
              this._emptyWords(model)
            )
          ]
        : this._parts(summary))
    );
    if (focused) {
      this.node
        .querySelector<HTMLElement>(
          `[data-exercise="${CSS.escape(focused)}"] button`
        )
        ?.focus();
    }
  }

  private _parts(summary: ISummary): HTMLElement[] {
    const meter = element('progress', {
      max: String(summary.maxPoints || 1),
      value: String(summary.points),
      'aria-label': summary.words
    });
    const next = element('p', { class: 'jp-attention-next', role: 'status' });
    next.append(summary.nextWords);
    return [
      element(
        'div',
        { class: 'jp-attention-row' },
        element('strong', {}, summary.words),
        meter
      ),
      next,
      element('ol', {}, ...summary.lines.map(line => this._line(line)))
    ];
  }

  private _line(line: ILine): HTMLElement {
    const live = this._live;
    return element(
      'li',
      {
        'data-exercise': line.exercise,
        'data-outcome': line.state,
        ...(line.isNext ? { 'aria-current': 'step' } : {})
      },
      element(
        'span',
        {
          class: 'jp-attention-sign',
          role: 'img',
          'aria-label': line.stateWords
        },
        line.sign
      ),
      button(line.title, () => goTo(live, line.exercise), {
        class: 'jp-attention-link',
        title: this.trans.__('Go to this exercise')
      }),
      element('span', { class: 'jp-attention-facts' }, line.facts)
    );
  }

  private _emptyWords(model: LiveModel | null): string {
    const { trans } = this;
    if (model?.otherVersion) {
      return otherVersionWords(trans);
    }
    switch (model?.connection) {
      case undefined:
        return trans.__('Open a lesson: your progress in it is shown here.');
      case 'no kernel':
        return trans.__(
          'No kernel is running. Start it, and run the lesson’s first cell.'
        );
      default:
        return trans.__(
          'Run the lesson’s first cell; your progress is shown here.'
        );
    }
  }

  private _live: ILiveNotebook | null = null;
}
