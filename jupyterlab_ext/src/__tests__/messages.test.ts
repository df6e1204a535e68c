import { readMessage } from '../live/messages';
import { HELLO, MATRICES, PROGRESS, VERDICT } from './fixtures';

const numbers = Float32Array.from([1, 2, 3, 4]);

function pictureOf(data: object, buffers: (ArrayBuffer | ArrayBufferView)[]) {
  const message = readMessage(data, buffers);
  if (message.type !== 'matrices') {
    throw new Error(`read as ${message.type}`);
  }
  return message.picture;
}

test('a matrix is read from its buffer without a copy', () => {
  const picture = pictureOf(MATRICES, [new DataView(numbers.buffer)]);
  expect(picture.matrices.scores).toEqual({
    rows: 2,
    columns: 2,
    values: numbers
  });
  expect(picture.matrices.scores!.values.buffer).toBe(numbers.buffer);
});

test('a buffer that does not begin on four bytes is copied', () => {
  const bytes = new Uint8Array(17);
  bytes.set(new Uint8Array(numbers.buffer), 1);
  const picture = pictureOf(MATRICES, [new DataView(bytes.buffer, 1)]);
  expect(picture.matrices.scores!.values).toEqual(numbers);
});

test('NaN and infinities arrive as they are', () => {
  const odd = Float32Array.from([NaN, Infinity, -Infinity, 0]);
  const picture = pictureOf(MATRICES, [odd.buffer]);
  expect(picture.matrices.scores!.values).toEqual(odd);
});

test('keys without names of their own have those of the rows', () => {
  expect(pictureOf(MATRICES, [numbers]).keyTokens).toEqual(['The', 'cat']);
  const other = { ...MATRICES, key_tokens: ['a', 'b'] };
  expect(pictureOf(other, [numbers]).keyTokens).toEqual(['a', 'b']);
});

test.each([
  ['a shape that its buffer does not fill', [2, 3]],
  ['a shape with a side too long', [1025, 1]],
  ['a shape with no rows', [0, 4]],
  ['a shape that is none', ['2', null]]
])('a matrix is left out for %s', (_, shape) => {
  const header = { ...MATRICES.matrices[0], shape };
  const data = { ...MATRICES, matrices: [header] };
  expect(pictureOf(data, [numbers]).matrices).toEqual({});
});

test('a matrix is left out where its buffer is missing', () => {
  expect(pictureOf(MATRICES, []).matrices).toEqual({});
});

test('a token of ten megabytes is cut', () => {
  const data = { ...MATRICES, tokens: ['x'.repeat(10_000_000), 'cat'] };
  const [long, short] = pictureOf(data, [numbers]).tokens;
  expect(long).toHaveLength(80);
  expect(long.endsWith('…')).toBe(true);
  expect(short).toBe('cat');
});

test('a message of another version is told from an unknown one', () => {
  expect(readMessage({ ...HELLO, version: 2 })).toEqual({
    type: 'other version',
    version: '2'
  });
  expect(readMessage({ ...HELLO, type: 'dance' })).toEqual({ type: 'unknown' });
});

test.each([null, undefined, 7, 'hello', [], { version: 1 }])(
  '%p is read as unknown or another version, and nothing is thrown',
  data => {
    expect(['unknown', 'other version']).toContain(readMessage(data).type);
  }
);

test('a verdict is read with its hint', () => {
  const message = readMessage(VERDICT);
  expect(message).toMatchObject({
    type: 'verdict',
    verdict: {
      exercise: 'attention_scores',
      outcome: 'failed',
      tried: true,
      hint: { title: 'No scaling' }
    }
  });
});

test('an outcome that cannot be read is ungraded, not failed', () => {
  const record = { ...VERDICT.record, outcome: 'exploded' };
  expect(readMessage({ ...VERDICT, record })).toMatchObject({
    verdict: { outcome: 'ungraded' }
  });
});

test('progress is read with every exercise', () => {
  expect(readMessage(PROGRESS)).toMatchObject({
    progress: {
      points: 1,
      maxPoints: 2,
      next: 'attention_weights',
      exercises: [
        { outcome: 'passed', attempts: 2, hintTiersOpened: 1 },
        { outcome: 'untried' }
      ]
    }
  });
});
