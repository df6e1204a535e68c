import { Frames } from '../live/frames';
import { readMessage } from '../live/messages';
import { LiveModel } from '../live/model';
import { CLEAR, HELLO, MATRICES, PROGRESS, Screen, VERDICT } from './fixtures';

const buffer = (value: number) => [Float32Array.from([value, 2, 3, 4])];

describe('frames', () => {
  test('of many updates the first and then the newest is drawn, once a frame', () => {
    const screen = new Screen();
    const drawn: number[] = [];
    const frames = new Frames<string, number>(
      (_, value) => drawn.push(value),
      screen.nextFrame
    );
    for (let i = 0; i < 1000; i++) {
      frames.put('weights', i);
    }
    expect(screen.asked).toBe(1);
    expect(drawn).toEqual([0]); // the first does not wait
    screen.frame();
    expect(drawn).toEqual([0, 999]);
    expect(frames.dropped).toBe(998);
  });

  test('the last one is drawn though it came while a frame was drawn', () => {
    const screen = new Screen();
    const drawn: number[] = [];
    const frames = new Frames<string, number>((_, value) => {
      drawn.push(value);
      if (value === 1) {
        frames.put('weights', 2);
      }
    }, screen.nextFrame);
    frames.put('weights', 1);
    screen.frame();
    screen.frame();
    expect(drawn).toEqual([1, 2]);
    frames.put('weights', 3);
    expect(drawn).toEqual([1, 2, 3]);
  });

  test('the picture that came last is drawn last', () => {
    const screen = new Screen();
    const drawn: string[] = [];
    const frames = new Frames<string, number>(
      key => drawn.push(key),
      screen.nextFrame
    );
    for (const key of ['a', 'a', 'b', 'a']) {
      frames.put(key, 1);
    }
    screen.frame();
    expect(drawn).toEqual(['a', 'b', 'a']);
  });

  test('updates of different pictures do not push each other out', () => {
    const screen = new Screen();
    const drawn: string[] = [];
    const frames = new Frames<string, number>(
      key => drawn.push(key),
      screen.nextFrame
    );
    frames.put('a', 1);
    frames.put('b', 1);
    screen.frame();
    expect(drawn).toEqual(['a', 'b']);
  });
});

describe('what a kernel has told', () => {
  let screen: Screen;
  let model: LiveModel;
  let changes: string[];

  beforeEach(() => {
    screen = new Screen();
    model = new LiveModel(screen.nextFrame);
    changes = [];
    model.changed.connect((_, change) => changes.push(change));
    model.take(readMessage(HELLO));
  });

  test('a hello makes it live and names the exercises', () => {
    expect(model.connection).toBe('live');
    expect(model.titleOf('attention_scores')).toBe('Scaled dot-product scores');
    expect(model.titleOf('my_own')).toBe('my own');
  });

  test('a picture is shown at once, and the newest with the next frame', () => {
    const shown = () => model.pictures.get('attention_scores')?.sequence;
    model.take(readMessage(MATRICES, buffer(1)));
    expect(shown()).toBe(3);
    model.take(readMessage({ ...MATRICES, sequence: 4 }, buffer(2)));
    model.take(readMessage({ ...MATRICES, sequence: 5 }, buffer(3)));
    expect(shown()).toBe(3);
    screen.frame();
    expect(shown()).toBe(5);
  });

  test('what is sent again after a refresh changes nothing', () => {
    model.take(readMessage(VERDICT));
    changes = [];
    model.take(readMessage(HELLO));
    model.take(readMessage(VERDICT));
    expect(changes).toEqual(['connection']);
    expect(model.verdicts.size).toBe(1);
  });

  test('a hello of another session forgets what the old one told', () => {
    model.take(readMessage(MATRICES, buffer(1)));
    model.take(readMessage(VERDICT));
    model.take(readMessage(PROGRESS));
    screen.frame();
    model.take(readMessage({ ...HELLO, session: 'second' }));
    expect(model.pictures.size).toBe(0);
    expect(model.verdicts.size).toBe(0);
    expect(model.progress).toBeNull();
  });

  test('after a restart the numbers count from the beginning', () => {
    model.take(readMessage({ ...VERDICT, sequence: 40 }));
    model.clear();
    model.take(readMessage({ ...HELLO, session: 'second' }));
    model.take(readMessage({ ...VERDICT, sequence: 1 }));
    expect(model.verdicts.size).toBe(1);
  });

  test('a matrix that is gone is not drawn by a frame that comes later', () => {
    model.take(readMessage(MATRICES, buffer(1)));
    model.take(readMessage({ ...MATRICES, sequence: 4 }, buffer(1)));
    model.take(readMessage(CLEAR));
    screen.frame();
    expect(model.pictures.size).toBe(0);
  });

  test('the picture drawn last is the last of all', () => {
    const other = { ...MATRICES, exercise: 'attention_weights', sequence: 4 };
    model.take(readMessage(MATRICES, buffer(1)));
    model.take(readMessage(other, buffer(1)));
    screen.frame();
    model.take(readMessage({ ...MATRICES, sequence: 9 }, buffer(2)));
    screen.frame();
    expect([...model.pictures.keys()]).toEqual([
      'attention_weights',
      'attention_scores'
    ]);
  });

  test('another version is said once', () => {
    changes = [];
    model.take(readMessage({ ...MATRICES, version: 2 }));
    model.take(readMessage({ ...MATRICES, version: 2 }));
    expect(model.otherVersion).toBe('2');
    expect(changes).toEqual(['connection']);
  });

  test('a model that is disposed of draws nothing more', () => {
    model.take(readMessage(MATRICES, buffer(1)));
    model.take(readMessage({ ...MATRICES, sequence: 4 }, buffer(1)));
    model.dispose();
    screen.frame();
    expect(model.pictures.get('attention_scores')!.sequence).toBe(3);
  });
});
