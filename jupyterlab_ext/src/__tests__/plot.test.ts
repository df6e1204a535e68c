import { IBokeh, IBokehModel } from '../heatmap/bokeh';
import { IFrame } from '../heatmap/figure';
import { ILayer } from '../heatmap/layers';
import { extent } from '../heatmap/matrix';
import { differenceScale, scaleFor } from '../heatmap/palette';
import { HeatmapPlot } from '../heatmap/plot';

/** What is painted on any canvas: texts and their colours, where images lie, and how often. */
class Painted {
  readonly texts: string[] = [];
  readonly inks: string[] = [];
  readonly images: number[][] = [];
  times = 0;

  constructor() {
    const known: Record<string, unknown> = {
      fillStyle: '',
      clearRect: () => this.times++,
      measureText: () => ({ width: 10 }),
      drawImage: (_: unknown, ...where: number[]) => this.images.push(where),
      fillText: (text: string) => {
        this.texts.push(text);
        this.inks.push(String(known.fillStyle));
      }
    };
    const context = new Proxy(known, {
      get: (_, name: string) => known[name] ?? (() => undefined)
    });
    jest
      .spyOn(HTMLCanvasElement.prototype, 'getContext')
      .mockReturnValue(context as never);
  }

  forget(): void {
    [this.texts, this.inks, this.images].forEach(list => list.splice(0));
    this.times = 0;
  }
}

/** Bokeh as far as a plot needs it: a matrix of 96 pixels on a canvas of 150. */
class FakeBokeh {
  readonly bokeh: IBokeh;
  readonly underlays = document.createElement('div');
  readonly ranges: Record<string, number>[] = [];
  readonly repainted: (() => void)[] = [];

  constructor() {
    const { ranges } = this;
    class Model {
      [property: string]: unknown;
      constructor(properties = {}) {
        Object.assign(this, properties);
      }
      setv(properties: object): void {
        Object.assign(this, properties);
      }
      add_tools(): void {}
    }
    class Range extends Model {
      constructor(properties = {}) {
        super(properties);
        ranges.push(this as never);
      }
    }
    const view = (model: IBokehModel): unknown => ({
      model,
      frame: { bbox: { left: 40, top: 20, width: 96, height: 96 } },
      canvas_view: {
        bbox: { left: 0, top: 0, width: 150, height: 150 },
        pixel_ratio: 2,
        underlays_el: this.underlays
      },
      repainted: {
        connect: (slot: () => void) => this.repainted.push(slot),
        emit: () => this.repaint()
      },
      remove: () => undefined
    });
    const modules: Record<string, unknown> = {
      document: {
        Document: class {
          roots: IBokehModel[] = [];
          add_root(root: IBokehModel): void {
            this.roots.push(root);
          }
          clear(): void {}
        }
      },
      'core/util/ndarray': { Uint32NDArray: class {} }
    };
    this.bokeh = {
      Models: new Proxy(
        {},
        { get: (_, name) => (name === 'Range1d' ? Range : Model) }
      ),
      embed: {
        add_document_standalone: ({ roots }: { roots: IBokehModel[] }) =>
          Promise.resolve(roots.map(view))
      },
      require: (name: string) => modules[name],
      set_log_level: () => undefined
    } as unknown as IBokeh;
  }

  repaint(): void {
    this.repainted.forEach(slot => slot());
  }
}

const frame: IFrame = {
  tokens: ['a', 'b'],
  keyTokens: ['a', 'b'],
  queryAxis: '',
  keyAxis: '',
  width: 300,
  ink: { text: 'ink', line: '', font: '' },
  hover: () => []
};

function layer(...values: number[]): ILayer {
  const matrix = { rows: 2, columns: 2, values: Float32Array.from(values) };
  const found = extent(matrix);
  const scale = scaleFor(found, 'cividis', 'PuOr');
  return { kind: 'mine', matrix, scale, extent: found };
}

let painted: Painted;
let fake: FakeBokeh;

beforeEach(() => {
  painted = new Painted();
  fake = new FakeBokeh();
  Object.assign(globalThis, { ImageData: class {} });
});

afterEach(() => jest.restoreAllMocks());

async function shown(first = layer(0, 0, 0, 1)): Promise<HeatmapPlot> {
  const host = document.createElement('div');
  const plot = new HeatmapPlot(fake.bokeh, host, first, frame);
  await plot.show();
  return plot;
}

test('the cells lie below what Bokeh draws, and are painted where its axes end', async () => {
  await shown();
  const [canvas] = fake.underlays.children;
  expect(canvas).toMatchObject({ width: 300, height: 300 });
  expect(canvas).toHaveProperty('style.width', '150px');
  expect(painted.images).toContainEqual([40, 20, 96, 96]);
});

test('other numbers are painted at once, with the bar, and once', async () => {
  const plot = await shown();
  painted.forget();
  const asked = jest.spyOn(window, 'requestAnimationFrame');
  plot.update(layer(0, 0.25, 0, 2), frame);
  expect(painted.texts).toEqual(
    ['0.00', '0.25', '0.00', '2.00'].concat('0', '0.5', '1', '1.5', '2')
  );
  expect(painted.times).toBe(1);
  expect(asked).not.toHaveBeenCalled();
});

test('the pointer looks again at a cell whose number is another', async () => {
  const plot = await shown();
  const looked = jest.fn();
  fake.repainted.push(looked);
  plot.update(layer(0, 0, 0, 2), frame);
  expect(looked).toHaveBeenCalledTimes(1);
});

test('numbers are written so that they can be read on their colours', async () => {
  await shown(layer(0, 1, 0, 1));
  expect(painted.inks.slice(0, 4)).toEqual([
    '#ffffff',
    '#000000',
    '#ffffff',
    '#000000'
  ]);
});

test('what is only rounding is written as such', async () => {
  const only = layer(0, 1e-9, -1e-9, NaN);
  await shown({ ...only, scale: differenceScale(only.extent, 'PuOr') });
  expect(painted.texts.slice(0, 4)).toEqual(['0', '≈0', '≈0', 'NaN']);
});

test('the same numbers are not painted anew', async () => {
  const same = layer(0, 0, 0, 1);
  const plot = await shown(same);
  painted.forget();
  plot.update(same, frame);
  expect(painted.times).toBe(0);
});

test('a closer look at a part shows its cells', async () => {
  await shown();
  painted.forget();
  const [x, y] = fake.ranges;
  Object.assign(x, { start: 1, end: 2 });
  Object.assign(y, { start: 1, end: 0 });
  fake.repaint();
  // The second column, the first row: twice as large, and moved to the left.
  expect(painted.images).toContainEqual([-56, 20, 192, 192]);
});

test('nothing is painted where the plot is gone', async () => {
  const plot = await shown();
  plot.dispose();
  painted.forget();
  plot.update(layer(0, 0, 0, 2), frame);
  fake.repaint();
  expect(painted.times).toBe(0);
});
