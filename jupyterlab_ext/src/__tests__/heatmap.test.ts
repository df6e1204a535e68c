import { moved } from '../heatmap/keyboard';
import { HeatmapModel } from '../heatmap/model';
import { notices } from '../heatmap/notices';
import { shortened, signed, spelled, styleFor } from '../heatmap/numbers';
import { scaleWords, spoken, summary } from '../heatmap/words';
import { matrix, picture, trans } from './fixtures';

let model: HeatmapModel;

beforeEach(() => {
  model = new HeatmapModel();
  model.picture = picture();
});

const kinds = () => model.layers.map(layer => layer.kind);

test('yours, the reference and the signed difference are drawn', () => {
  expect(kinds()).toEqual(['mine', 'reference', 'difference']);
  expect(Array.from(model.layers[2].matrix.values)).toEqual([
    0, 0, -0.25, 0.25
  ]);
});

test('yours and the reference share one scale', () => {
  expect(model.layers[0].scale).toBe(model.layers[1].scale);
});

test('without a reference yours is drawn, whatever is asked for', () => {
  model.view = 'difference';
  model.picture = picture({ matrices: { weights: matrix([1, 0]) } });
  expect(kinds()).toEqual(['mine']);
  expect(notices(model, 300, trans)).toEqual([
    'There is no reference to compare with.'
  ]);
});

test('a wrong shape is drawn, and the missing difference is explained', () => {
  model.picture = picture({
    matrices: {
      weights: matrix([1, 0, 0]),
      reference_weights: matrix([1, 0])
    }
  });
  expect(kinds()).toEqual(['mine', 'reference']);
  expect(notices(model, 300, trans)).toEqual([
    'Yours and the reference have different shapes, so there is no difference.'
  ]);
});

test('where there is nothing to draw the notes say why', () => {
  model.picture = picture({ matrices: {}, notes: ['It is a list.'] });
  expect(model.layers).toEqual([]);
  expect(notices(model, 300, trans)).toEqual(['It is a list.']);
});

test('a temperature changes yours and the reference, and says so', () => {
  model.temperature = 0.5;
  expect(model.layers[0].matrix.values[3]).toBeCloseTo(0.9);
  expect(notices(model, 300, trans)).toEqual([
    'Recomputed here from your numbers; your notebook is unchanged.'
  ]);
});

test('weights are made of scores where there are only scores', () => {
  model.picture = picture({
    exercise: 'attention_scores',
    matrices: { scores: matrix([0, Math.log(3)]) }
  });
  expect(model.quantity).toBe('scores');
  model.quantity = 'weights';
  expect(model.layers[0].matrix.values[1]).toBeCloseTo(0.75);
});

test('scores cannot be made of weights', () => {
  model.quantity = 'scores';
  expect(model.quantities).toEqual(['weights']);
  expect(model.quantity).toBe('weights');
});

test('a run of the same cell keeps temperature and cell, another exercise does not', () => {
  model.temperature = 2;
  model.cursor = { row: 1, column: 1 };
  model.picture = picture({ sequence: 2 });
  expect(model.temperature).toBe(2);
  expect(model.cursor).toEqual({ row: 1, column: 1 });
  model.picture = picture({ exercise: 'attention_head' });
  expect(model.temperature).toBe(1);
});

test('a cell that the next matrix has not is forgotten', () => {
  model.cursor = { row: 1, column: 1 };
  model.picture = picture({ matrices: { weights: matrix([1, 0]) } });
  expect(model.cursor).toBeNull();
});

test('an exercise without scaling begins with the switch off', () => {
  model.picture = picture({ exercise: 'weights', scaled: false });
  expect(model.scaled).toBe(false);
  expect(model.exponent).toBe(1);
  model.scaled = true;
  expect(model.exponent).toBe(0.5);
});

test('negative weights are shown as they are, and a notice says why', () => {
  model.picture = picture({ matrices: { weights: matrix([-1, 2]) } });
  model.temperature = 2;
  expect(Array.from(model.layers[0].matrix.values)).toEqual([-1, 2]);
  expect(notices(model, 300, trans)).toContain(
    'Some of your weights are below 0: temperature and scaling cannot change them.'
  );
});

test('more entries than pixels are pointed out', () => {
  expect(notices(model, 1, trans)).toEqual([
    '2 x 2 entries on fewer pixels: not each can be seen. Drag over the picture to look closer; a double click shows all again.'
  ]);
});

test('the cell that is looked at is spoken with tokens and all values', () => {
  model.cursor = { row: 1, column: 0 };
  expect(spoken(model, trans)).toBe(
    'Query cat, key The. Yours 0.25. Reference 0.5. Difference −0.25. Row 2 of 2, column 1 of 2.'
  );
});

test('the summary says where yours is farthest from the reference', () => {
  expect(summary(model, trans)).toBe(
    'Weights on the prompt: weights of 2 queries and 2 keys. Farthest from the reference: −0.25, at query cat, key The.'
  );
});

test('a NaN is farther from the reference than any number', () => {
  model.picture = picture({
    matrices: {
      weights: matrix([9, NaN]),
      reference_weights: matrix([1, 0])
    }
  });
  expect(model.farthest).toEqual([0, 1, NaN]);
});

test('equal matrices are said to be equal', () => {
  const same = matrix([0.5, 0.5]);
  model.picture = picture({
    matrices: { weights: same, reference_weights: same }
  });
  expect(summary(model, trans)).toContain(
    'Yours equal the reference, up to rounding.'
  );
});

test('the colours are explained in words, with what is no number', () => {
  model.picture = picture({
    matrices: { weights: matrix([0, 1, NaN, -Infinity]) }
  });
  expect(scaleWords(model.layers[0], trans)).toBe(
    'Colour: dark blue is 0, yellow is 1. Vermilion: 1 entry is NaN. Grey: 1 entry is minus infinity (masked).'
  );
});

test('the first key shows where the cursor is, the next ones move it', () => {
  expect(moved(null, 'ArrowDown', false, 3, 4)).toEqual({ row: 0, column: 0 });
  const at = { row: 1, column: 1 };
  expect(moved(at, 'ArrowDown', false, 3, 4)).toEqual({ row: 2, column: 1 });
  expect(moved(at, 'PageDown', false, 3, 4)).toEqual({ row: 2, column: 1 });
  expect(moved(at, 'Home', false, 3, 4)).toEqual({ row: 1, column: 0 });
  expect(moved(at, 'End', true, 3, 4)).toEqual({ row: 2, column: 3 });
  expect(moved({ row: 0, column: 0 }, 'ArrowUp', false, 3, 4)).toEqual({
    row: 0,
    column: 0
  });
  expect(moved(at, 'Tab', false, 3, 4)).toBeNull();
});

test('numbers are written as people read them', () => {
  expect(spelled(0.12345678)).toBe('0.1235');
  expect(spelled(-2)).toBe('−2');
  expect(spelled(1.5e-7, 3)).toBe('1.5e−7');
  expect([NaN, Infinity, -Infinity].map(value => spelled(value))).toEqual([
    'NaN',
    '∞',
    '−∞'
  ]);
  expect(signed(0.25)).toBe('+0.25');
  expect(signed(0)).toBe('0');
  expect(styleFor(0, 1)(-0.001)).toBe('0.00');
  expect(shortened('antidisestablishmentarianism')).toBe('antidisestabl…');
});
