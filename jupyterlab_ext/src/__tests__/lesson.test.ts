import { readFileSync } from 'fs';
import { join } from 'path';

import { HintsModel } from '../hints/model';
import { tiersOf } from '../hints/tiers';
import { exerciseAt, hasLesson, ICell, placeOf } from '../lesson/cells';
import { LabMessage, readMessage } from '../live/messages';
import { LiveModel } from '../live/model';
import { summaryOf } from '../progress/model';
import { HELLO, PROGRESS, trans, VERDICT } from './fixtures';

/** The released lesson itself. */
function lesson(name: string): ICell[] {
  const path = join(__dirname, '../../../release', name);
  return JSON.parse(readFileSync(path, 'utf-8')).cells.map((cell: any) => ({
    id: cell.id,
    type: cell.cell_type,
    source: [cell.source].flat().join(''),
    hintFor: cell.metadata.attention_course?.hint_for ?? null,
    gradeId: cell.metadata.nbgrader?.grade_id ?? null
  }));
}

const cells = lesson('attention/lesson.ipynb');
const indexOf = (id: string): number => cells.findIndex(cell => cell.id === id);

describe('the exercise at the cursor', () => {
  test.each([
    ['linear-projections-text', 'linear_projections'],
    ['linear-projections', 'linear_projections'],
    ['projections-picture', 'linear_projections'],
    ['attention-scores-text', 'attention_scores'],
    ['attention-scores', 'attention_scores'],
    ['test-attention-scores', 'attention_scores'],
    ['hints-attention-scores', 'attention_scores'],
    ['scores-on-prompt', 'attention_scores'],
    ['attention-weights-text', 'attention_weights'],
    ['attention-head', 'attention_head'],
    ['introduction', null],
    ['verification', null]
  ])('at %s it is %p', (id, exercise) => {
    expect(exerciseAt(cells, indexOf(id))).toBe(exercise);
  });

  test('outside of the notebook there is none', () => {
    expect(exerciseAt(cells, -1)).toBeNull();
    expect(exerciseAt([], 0)).toBeNull();
  });

  test('every exercise with hints is found at its own solution', () => {
    const hinted = cells.flatMap(cell => cell.hintFor ?? []);
    expect(hinted).toHaveLength(5);
    for (const exercise of hinted) {
      expect(exerciseAt(cells, placeOf(cells, exercise))).toBe(exercise);
    }
  });

  test('a notebook of another kind is no lesson', () => {
    expect(hasLesson(cells)).toBe(true);
    expect(hasLesson(cells.map(cell => ({ ...cell, hintFor: null })))).toBe(
      false
    );
  });
});

describe('tiers', () => {
  test('every hint cell of both lessons has three', () => {
    const all = [
      ...cells,
      ...lesson('attention_basics/attention_basics.ipynb')
    ];
    const hints = all.filter(cell => cell.hintFor !== null);
    expect(hints).toHaveLength(9);
    for (const { source } of hints) {
      const tiers = tiersOf(source);
      expect(tiers.map(tier => tier.title)).toEqual([
        'Hint 1: a nudge',
        'Hint 2: the idea',
        'Hint 3: nearly the code'
      ]);
      expect(tiers.every(tier => tier.body.length > 20)).toBe(true);
    }
  });

  test('a hint cell without details is one tier', () => {
    expect(tiersOf('Just *try*.', 'Hint')).toEqual([
      { title: 'Hint', body: 'Just *try*.' }
    ]);
    expect(tiersOf('  ')).toEqual([]);
  });

  test('a summary is text', () => {
    const [tier] = tiersOf(
      '<details open><summary><b onclick="x()">One</b></summary>two</details>'
    );
    expect(tier).toEqual({ title: 'One', body: 'two' });
  });
});

describe('hints', () => {
  let live: LiveModel;
  let sent: LabMessage[];
  let listening: boolean;
  let model: HintsModel;

  beforeEach(() => {
    live = new LiveModel();
    sent = [];
    listening = true;
    model = new HintsModel(live, message => {
      if (listening) {
        sent.push(message);
      }
      return listening;
    });
    model.look(cells, indexOf('attention-scores'));
  });

  test('nothing is open at first, and tiers open one by one', () => {
    expect(model.hints).toMatchObject({
      exercise: 'attention_scores',
      opened: 0
    });
    model.openNext();
    expect(model.hints!.opened).toBe(1);
    model.openNext();
    model.openNext();
    model.openNext();
    expect(model.hints!.opened).toBe(3);
    expect(sent.map(message => 'tier' in message && message.tier)).toEqual([
      1, 2, 3
    ]);
  });

  test('what was opened stays open for its exercise only', () => {
    model.openNext();
    model.look(cells, indexOf('attention-head'));
    expect(model.hints!.opened).toBe(0);
    model.look(cells, indexOf('scores-on-prompt'));
    expect(model.hints!.opened).toBe(1);
  });

  test('what was opened on another day is known from the progress record', () => {
    live.take(readMessage(HELLO));
    live.take(readMessage(PROGRESS));
    expect(model.hints!.opened).toBe(1);
    expect(sent).toEqual([]);
    model.openNext();
    expect(sent).toMatchObject([{ type: 'hint_opened', tier: 2 }]);
  });

  test('what could not be told is told when a kernel is there', () => {
    listening = false;
    model.openNext();
    model.openNext();
    listening = true;
    live.take(readMessage(HELLO));
    expect(sent).toMatchObject([
      { type: 'hint_opened', exercise: 'attention_scores', tier: 2 }
    ]);
    live.take(readMessage({ ...HELLO, session: 'second' }));
    expect(sent).toHaveLength(1);
  });

  test('a named misconception comes with its hint', () => {
    live.take(readMessage(HELLO));
    live.take(readMessage(VERDICT));
    expect(model.hints!.verdict!.hint!.misconception).toBe('no_scaling');
    model.look(cells, indexOf('attention-head'));
    expect(model.hints!.verdict).toBeNull();
  });

  test('without an exercise at the cursor there are the names of all', () => {
    model.look(cells, indexOf('introduction'));
    expect(model.hints).toBeNull();
    expect(model.exercises).toHaveLength(5);
  });
});

describe('progress', () => {
  const live = new LiveModel();

  test('nothing is said before the kernel has told anything', () => {
    expect(summaryOf(null, trans)).toBeNull();
    expect(summaryOf(live, trans)).toBeNull();
  });

  test('points, attempts, hints and what is next are in words', () => {
    live.take(readMessage(HELLO));
    live.take(readMessage(PROGRESS));
    const summary = summaryOf(live, trans)!;
    expect(summary.words).toBe('1 of 2 points');
    expect(summary.nextWords).toBe('Next: Softmax and attention weights');
    expect(summary.lines).toMatchObject([
      {
        sign: '✓',
        stateWords: 'passed',
        facts: '1 of 1 point · 2 attempts · 1 hint opened',
        isNext: false
      },
      {
        sign: '○',
        stateWords: 'not tried yet',
        facts: '0 of 1 point',
        isNext: true
      }
    ]);
  });

  test('when all have passed the final evaluation is next', () => {
    const record = { ...PROGRESS.record, next: null };
    live.take(readMessage({ ...PROGRESS, record, sequence: 6 }));
    expect(summaryOf(live, trans)!.nextWords).toBe(
      'All exercises have passed. Run the last cell of the lesson for the final evaluation.'
    );
  });
});
