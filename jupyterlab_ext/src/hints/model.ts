import { ISignal, Signal } from '@lumino/signaling';

import { ICell, exerciseAt } from '../lesson/cells';
import { IVerdict, LabMessage, VERSION } from '../live/messages';
import { LiveModel } from '../live/model';
import { ITier, tiersOf } from './tiers';

/** The furthest tier that the kernel keeps. */
const LAST_TIER = 3;

/** What the Hints panel shows of one exercise. */
export interface IHints {
  readonly exercise: string;
  readonly title: string;
  readonly verdict: IVerdict | null;
  readonly tiers: readonly ITier[];
  /** How many tiers may be read, first to last; the next one can be opened. */
  readonly opened: number;
}

/**
 * The hints of the exercise where the cursor is, opened one by one.
 *
 * How far a student went is told to the kernel, which keeps it; what could not be told, since
 * no kernel was there, is told later.
 */
export class HintsModel {
  constructor(
    private readonly live: LiveModel,
    private readonly send: (message: LabMessage) => boolean
  ) {
    live.changed.connect(this._onLive, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The hints at the cursor; null where no exercise is. */
  get hints(): IHints | null {
    return this._hints;
  }

  /** All exercises of the notebook that have hints, in its order. */
  get exercises(): readonly string[] {
    const named = this._cells.flatMap(cell => cell.hintFor ?? []);
    return [...new Set(named)];
  }

  /** Follow the cursor. */
  look(cells: readonly ICell[], index: number): void {
    this._cells = cells;
    this._exercise = exerciseAt(cells, index);
    this._update();
  }

  /** Open the next tier of the exercise at the cursor. */
  openNext(): void {
    const hints = this._hints;
    if (!hints || hints.opened >= hints.tiers.length) {
      return;
    }
    const tier = hints.opened + 1;
    this._opened.set(hints.exercise, tier);
    this._tell(hints.exercise, tier);
    this._update();
  }

  dispose(): void {
    this.live.changed.disconnect(this._onLive, this);
    Signal.clearData(this);
  }

  private _onLive(_: LiveModel, change: string): void {
    if (change === 'pictures') {
      return;
    }
    if (change === 'connection' && this.live.connection === 'live') {
      for (const [exercise, tier] of [...this._untold]) {
        this._tell(exercise, tier);
      }
    }
    this._update();
  }

  private _tell(exercise: string, tier: number): void {
    const message: LabMessage = {
      version: VERSION,
      type: 'hint_opened',
      exercise,
      tier: Math.min(tier, LAST_TIER)
    };
    if (this.send(message)) {
      this._untold.delete(exercise);
    } else {
      this._untold.set(exercise, tier);
    }
  }

  private _update(): void {
    this._hints = this._exercise === null ? null : this._read(this._exercise);
    this._changed.emit();
  }

  private _read(exercise: string): IHints {
    const tiers = this._cells
      .filter(cell => cell.hintFor === exercise)
      .flatMap(cell => tiersOf(cell.source));
    const kept = this.live.progress?.exercises.find(
      one => one.exercise === exercise
    );
    const opened = Math.max(
      this._opened.get(exercise) ?? 0,
      kept?.hintTiersOpened ?? 0
    );
    return {
      exercise,
      title: this.live.titleOf(exercise),
      verdict: this.live.verdicts.get(exercise) ?? null,
      tiers,
      opened: Math.min(opened, tiers.length)
    };
  }

  private _changed = new Signal<this, void>(this);
  private _cells: readonly ICell[] = [];
  private _exercise: string | null = null;
  private _hints: IHints | null = null;
  private _opened = new Map<string, number>();
  private _untold = new Map<string, number>();
}
