import type { TranslationBundle } from '@jupyterlab/translation';

import { IMatrix, IPicture } from '../live/messages';

/** Fills in %1, %2 … as JupyterLab's own bundle does, and translates nothing. */
const filled = (text: string, ...values: unknown[]): string =>
  text.replace(/%(\d)/g, (_, place) => String(values[Number(place) - 1]));

export const trans = {
  __: filled,
  _n: (one: string, many: string, n: number, ...values: unknown[]) =>
    filled(n === 1 ? one : many, n, ...values)
} as unknown as TranslationBundle;

export function matrix(...rows: number[][]): IMatrix {
  return {
    rows: rows.length,
    columns: rows[0].length,
    values: Float32Array.from(rows.flat())
  };
}

export function picture(changes: Partial<IPicture> = {}): IPicture {
  return {
    exercise: 'attention_weights',
    title: 'Weights on the prompt',
    cellId: 'weights-on-prompt',
    tokens: ['The', 'cat'],
    keyTokens: ['The', 'cat'],
    matrices: {
      weights: matrix([0.5, 0.5], [0.25, 0.75]),
      reference_weights: matrix([0.5, 0.5], [0.5, 0.5])
    },
    dK: 4,
    scaled: true,
    notes: [],
    sequence: 1,
    ...changes
  };
}

/** Frames that come when the test says so. */
export class Screen {
  readonly nextFrame = (draw: () => void): void => {
    this._waiting.push(draw);
  };

  get asked(): number {
    return this._waiting.length;
  }

  frame(): void {
    this._waiting.splice(0).forEach(draw => draw());
  }

  private _waiting: (() => void)[] = [];
}

/** Messages as the kernel writes them; each one is held against the schema by schema.test.ts. */
export const HELLO = {
  version: 1,
  type: 'hello',
  session: 'first',
  assignment: 'attention',
  exercises: [
    {
      exercise: 'attention_scores',
      assignment: 'attention',
      title: 'Scaled dot-product scores',
      points: 1
    },
    {
      exercise: 'attention_weights',
      assignment: 'attention',
      title: 'Softmax and attention weights',
      points: 1
    }
  ],
  sequence: 0
};

export const MATRICES = {
  version: 1,
  type: 'matrices',
  exercise: 'attention_scores',
  title: 'Scores on the prompt',
  cell_id: 'scores-on-prompt',
  tokens: ['The', 'cat'],
  key_tokens: null,
  matrices: [{ name: 'scores', shape: [2, 2], dtype: 'float32', buffer: 0 }],
  d_k: 64,
  scaled: true,
  notes: ['A sentence.'],
  sequence: 3,
  sent: 1.5
};

export const VERDICT = {
  version: 1,
  type: 'verdict',
  record: {
    outcome: 'failed',
    exercise: 'attention_scores',
    message: 'Your scores are sqrt(d_k) times too large.',
    points: 0,
    max_points: 1,
    misconceptions: ['no_scaling'],
    expected_shape: null,
    actual_shape: null,
    details: []
  },
  title: 'Scaled dot-product scores',
  assignment: 'attention',
  cell_id: 'test-attention-scores',
  tried: true,
  hint: {
    misconception: 'no_scaling',
    title: 'No scaling',
    text: 'Divide by `math.sqrt(queries.shape[-1])`.'
  },
  sequence: 4
};

export const PROGRESS = {
  version: 1,
  type: 'progress',
  record: {
    assignment: 'attention',
    points: 1,
    max_points: 2,
    evaluations: 0,
    exercises: [
      {
        exercise: 'attention_scores',
        title: 'Scaled dot-product scores',
        outcome: 'passed',
        points: 1,
        max_points: 1,
        attempts: 2,
        hint_tiers_opened: 1
      },
      {
        exercise: 'attention_weights',
        title: 'Softmax and attention weights',
        outcome: 'untried',
        points: 0,
        max_points: 1,
        attempts: 0,
        hint_tiers_opened: 0
      }
    ],
    next: 'attention_weights'
  },
  sequence: 5
};

export const CLEAR = {
  version: 1,
  type: 'clear',
  exercise: 'attention_scores',
  sequence: 6
};
