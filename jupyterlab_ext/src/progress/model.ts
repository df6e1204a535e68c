import type { TranslationBundle } from '@jupyterlab/translation';

import { IExerciseProgress } from '../live/messages';
import { LiveModel } from '../live/model';

export type State = IExerciseProgress['outcome'];

/** One line of the Progress panel. */
export interface ILine {
  readonly exercise: string;
  readonly title: string;
  readonly state: State;
  readonly sign: string;
  /** The sign in words. */
  readonly stateWords: string;
  readonly facts: string;
  readonly isNext: boolean;
}

export interface ISummary {
  readonly points: number;
  readonly maxPoints: number;
  readonly words: string;
  readonly next: { exercise: string; title: string } | null;
  readonly nextWords: string;
  readonly lines: readonly ILine[];
}

const SIGNS: Record<State, string> = {
  passed: '✓',
  failed: '✗',
  ungraded: '?',
  untried: '○'
};

/** How far the student is, in words; null where nothing is known. */
export function summaryOf(
  live: LiveModel | null,
  trans: TranslationBundle
): ISummary | null {
  const progress = live?.progress;
  if (!progress) {
    return null;
  }
  const next = progress.next;
  return {
    points: progress.points,
    maxPoints: progress.maxPoints,
    words: trans.__('%1 of %2 points', progress.points, progress.maxPoints),
    next: next === null ? null : { exercise: next, title: live.titleOf(next) },
    nextWords:
      next !== null
        ? trans.__('Next: %1', live.titleOf(next))
        : progress.evaluations > 0
          ? trans.__('All exercises have passed. Well done.')
          : trans.__(
              'All exercises have passed. Run the last cell of the lesson for the final evaluation.'
            ),
    lines: progress.exercises.map(one => ({
      exercise: one.exercise,
      title: one.title,
      state: one.outcome,
      sign: SIGNS[one.outcome],
      stateWords: stateWords(one.outcome, trans),
      facts: facts(one, trans),
      isNext: one.exercise === next
    }))
  };
}

function stateWords(state: State, trans: TranslationBundle): string {
  switch (state) {
    case 'passed':
      return trans.__('passed');
    case 'failed':
      return trans.__('not right yet');
    case 'ungraded':
      return trans.__('could not be checked, not your fault');
    default:
      return trans.__('not tried yet');
  }
}

function facts(one: IExerciseProgress, trans: TranslationBundle): string {
  const parts = [
    trans._n('%2 of %1 point', '%2 of %1 points', one.maxPoints, one.points)
  ];
  if (one.attempts > 0) {
    parts.push(trans._n('%1 attempt', '%1 attempts', one.attempts));
  }
  if (one.hintTiersOpened > 0) {
    parts.push(
      trans._n('%1 hint opened', '%1 hints opened', one.hintTiersOpened)
    );
  }
  return parts.join(' · ');
}
