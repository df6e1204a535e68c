import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { HeatmapModel } from '../heatmap/model';
import { HeatmapPanel } from '../heatmap/panel';
import { LiveModel } from '../live/model';
import { ILiveNotebook, ILiveNotebooks } from '../tokens';
import { matrix, picture, trans } from './fixtures';

// jsdom knows no dragging. The pictures themselves are the browser's.
jest.mock('@lumino/dragdrop', () => ({}));
jest.mock('../heatmap/bokeh', () => ({
  loadBokeh: () => new Promise(() => undefined)
}));

const EQUAL = 'Yours equal the reference, up to rounding.';

let panel: HeatmapPanel;
let status: HTMLElement;

beforeEach(() => {
  jest.useFakeTimers();
  const live = new LiveModel(() => undefined);
  const notebooks = {
    current: { model: live } as ILiveNotebook,
    currentChanged: new Signal<object, ILiveNotebook | null>({})
  } as unknown as ILiveNotebooks;
  panel = new HeatmapPanel(notebooks, new HeatmapModel(), trans);
  Widget.attach(panel, document.body);
  status = panel.node.querySelector('[role=status]')!;
  const same = matrix([0.5, 0.5], [0.25, 0.75]);
  show({ weights: same, reference_weights: same });
  jest.advanceTimersByTime(1000);
});

afterEach(() => {
  panel.dispose();
  jest.useRealTimers();
});

function show(matrices: Parameters<typeof picture>[0]['matrices']): void {
  panel.model.picture = picture({ matrices });
}

test('a picture is put into words when it has come to rest', () => {
  expect(status.textContent).toContain(EQUAL);
});

test('what was said of other numbers is gone at once', () => {
  show({ weights: matrix([1, 0]), reference_weights: matrix([0.5, 0.5]) });
  expect(status.textContent).toBe('');
  jest.advanceTimersByTime(1000);
  expect(status.textContent).toContain('Farthest from the reference: +0.5');
});

test('pictures that follow each other are put into words once, at the end', () => {
  const said: (string | null)[] = [];
  const heard = new MutationObserver(() => said.push(status.textContent));
  heard.observe(status, { childList: true });
  for (let i = 1; i <= 5; i++) {
    show({ weights: matrix([i]), reference_weights: matrix([1]) });
    jest.advanceTimersByTime(100);
  }
  expect(status.textContent).toBe('');
  expect(heard.takeRecords()).toHaveLength(1); // the old sentence went
  jest.advanceTimersByTime(1000);
  expect(status.textContent).toContain('+4');
  expect(heard.takeRecords()).toHaveLength(1);
  expect(said).toEqual([]);
  heard.disconnect();
});

test('what is said keeps its room when it is gone', () => {
  jest.spyOn(status, 'offsetHeight', 'get').mockReturnValue(42);
  jest.advanceTimersByTime(1000);
  panel.model.cursor = { row: 0, column: 0 };
  show({ weights: matrix([1, 0]) });
  expect(status.textContent).toBe('');
  expect(status.style.minHeight).toBe('42px');
});
