import { IRenderMimeRegistry, MimeModel } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { button, element, sentence } from '../dom';
import { goTo } from '../lesson/notebook';
import { IVerdict } from '../live/messages';
import { otherVersionWords } from '../live/words';
import { ILiveNotebook } from '../tokens';
import { HintsModel, IHints } from './model';
import { ITier } from './tiers';

/** The Hints section: what a check has found first, then the hints, one tier at a time. */
export class HintsPanel extends Widget {
  constructor(
    private readonly rendermime: IRenderMimeRegistry,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.id = 'jp-attention-hints';
    this.addClass('jp-attention-section');
    this.title.label = trans.__('Hints');
    this.node.tabIndex = -1;
    this._title = element('h3', { class: 'jp-attention-title' });
    this._verdict = element('div', { role: 'status' });
    this._tiers = element('div', { class: 'jp-attention-tiers' });
    this._next = button('', () => this.openNext());
    this._elsewhere = element('div', { class: 'jp-attention-empty' });
    this.node.append(
      this._title,
      this._verdict,
      this._tiers,
      this._next,
      this._elsewhere
    );
    this._show();
  }

  /** Follow another notebook. */
  follow(live: ILiveNotebook | null, model: HintsModel | null): void {
    this._model?.changed.disconnect(this._show, this);
    this._live = live;
    this._model = model;
    model?.changed.connect(this._show, this);
    this._show();
  }

  protected onActivateRequest(_message: Message): void {
    const first = this.node.querySelector<HTMLElement>(
      'summary, button:not([hidden])'
    );
    (first ?? this.node).focus();
  }

  /** Open one more hint, and put the focus on it. */
  openNext(): void {
    this._model?.openNext();
    const opened = this._tiers.querySelectorAll<HTMLDetailsElement>('details');
    const last = opened[opened.length - 1];
    if (last) {
      last.open = true;
      last.querySelector('summary')?.focus();
    }
  }

  private _show(): void {
    const hints = this._model?.hints ?? null;
    this._title.hidden = hints === null;
    this._next.hidden = hints === null || hints.opened >= hints.tiers.length;
    if (!hints) {
      this._title.textContent = '';
      delete this._title.dataset.exercise;
      this._say(null);
      this._tiers.replaceChildren();
      this._shown = '';
      this._showElsewhere();
      return;
    }
    this._elsewhere.replaceChildren(
      ...(hints.tiers.length === 0
        ? [this.trans.__('This exercise has no hints.')]
        : [])
    );
    this._title.textContent = hints.title;
    this._title.dataset.exercise = hints.exercise;
    this._say(hints.verdict);
    this._showTiers(hints);
    this._next.textContent =
      hints.opened === 0
        ? this.trans.__('Open the first hint')
        : this.trans.__(
            'Open hint %1 of %2',
            hints.opened + 1,
            hints.tiers.length
          );
  }

  /** What the last check has said of this exercise. */
  private _say(verdict: IVerdict | null): void {
    if (verdict === this._said) {
      return;
    }
    this._said = verdict;
    this._verdict.replaceChildren();
    if (!verdict || !verdict.tried) {
      return;
    }
    const { trans } = this;
    const box = element('div', {
      class: 'jp-attention-verdict',
      'data-outcome': verdict.outcome
    });
    if (verdict.outcome === 'passed') {
      box.append(element('strong', {}, trans.__('✓ Passed')));
    } else if (verdict.outcome === 'ungraded') {
      box.append(
        element(
          'strong',
          {},
          trans.__('Could not be checked; that is not your fault.')
        ),
        element('p', {}, sentence(verdict.message))
      );
    } else if (verdict.hint) {
      box.append(
        element('strong', {}, sentence(verdict.hint.title)),
        element('p', {}, sentence(verdict.hint.text))
      );
      box.setAttribute('data-misconception', verdict.hint.misconception);
    } else {
      box.append(
        element('strong', {}, trans.__('Not right yet')),
        element('p', {}, sentence(verdict.message))
      );
    }
    this._verdict.append(box);
  }

  private _showTiers(hints: IHints): void {
    const key = JSON.stringify([
      hints.exercise,
      hints.tiers.slice(0, hints.opened)
    ]);
    if (key === this._shown) {
      return; // what is unfolded stays unfolded
    }
    const before = this._shown ? JSON.parse(this._shown) : [''];
    if (before[0] !== hints.exercise) {
      this._tiers.replaceChildren();
    }
    const there = this._tiers.childElementCount;
    const kept = JSON.stringify(before[1]?.slice(0, there) ?? []);
    if (kept !== JSON.stringify(hints.tiers.slice(0, there))) {
      this._tiers.replaceChildren();
    }
    this._shown = key;
    hints.tiers
      .slice(this._tiers.childElementCount, hints.opened)
      .forEach(tier => this._tiers.append(this._tier(tier)));
  }

  private _tier(tier: ITier): HTMLElement {
    const body = element('div', { class: 'jp-attention-tier' });
    // The notebook's renderer sanitises: the hint cell may have been written by anybody.
    const renderer = this.rendermime.createRenderer('text/markdown');
    const model = new MimeModel({
      data: { 'text/markdown': tier.body },
      trusted: false
    });
    void renderer.renderModel(model).catch(() => {
      body.textContent = tier.body;
    });
    body.append(renderer.node);
    const place = this._tiers.childElementCount + 1;
    const details = element(
      'details',
      { 'data-tier': String(place), 'data-open': 'false' },
      element('summary', {}, tier.title || this.trans.__('Hint')),
      body
    );
    details.addEventListener('toggle', () => {
      details.dataset.open = String(details.open);
    });
    return details;
  }

  /** The cursor is in no exercise: say where hints are. */
  private _showElsewhere(): void {
    const { trans } = this;
    const live = this._live;
    const exercises = this._model?.exercises ?? [];
    if (live?.model.otherVersion) {
      this._elsewhere.replaceChildren(otherVersionWords(trans));
      return;
    }
    if (!live || exercises.length === 0) {
      this._elsewhere.replaceChildren(
        trans.__(
          'Open a lesson: the hints for the exercise at the cursor are shown here.'
        )
      );
      return;
    }
    this._elsewhere.replaceChildren(
      element(
        'p',
        {},
        trans.__('No exercise is at the cursor. Hints are there for:')
      ),
      element(
        'ul',
        {},
        ...exercises.map(exercise =>
          element(
            'li',
            {},
            button(live.model.titleOf(exercise), () => goTo(live, exercise), {
              class: 'jp-attention-link'
            })
          )
        )
      )
    );
  }

  private _live: ILiveNotebook | null = null;
  private _model: HintsModel | null = null;
  private _said: IVerdict | null = null;
  private _shown = '';
  private readonly _title: HTMLElement;
  private readonly _verdict: HTMLElement;
  private readonly _tiers: HTMLElement;
  private readonly _next: HTMLButtonElement;
  private readonly _elsewhere: HTMLElement;
}
