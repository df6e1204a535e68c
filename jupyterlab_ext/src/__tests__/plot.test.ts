import { IBokeh, IBokehModel } from '../heatmap/bokeh';
import { IFrame } from '../heatmap/figure';
import { ILayer } from '../heatmap/layers';
import { extent } from '../heatmap/matrix';
import { scaleFor } from '../heatmap/palette';
import { HeatmapPlot } from '../heatmap/plot';

/** Bokeh as far as a plot needs it, which writes down what its view is told. */
class FakeBokeh {
  readonly told: string[] = [];
  ready = Promise.resolve();
  readonly bokeh: IBokeh;

  constructor() {
    const { told } = this;
    class Model {
      [property: string]: unknown;
      constructor(properties = {}) {
        Object.assign(this, properties);
      }
      setv(properties: object): void {
        told.push('new scale');
        Object.assign(this, properties);
      }
      add_tools(): void {}
    }
    const view = (model: IBokehModel): unknown => ({
      model,
      renderer_views: new Map([[0, this.part()]]),
      pause: () => told.push('pause'),
      unpause: () => told.push('unpause'),
      repaint: () => told.push('repaint'),
      remove: () => told.push('remove')
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
      Models: new Proxy({}, { get: () => Model }),
      embed: {
        add_document_standalone: ({ roots }: { roots: IBokehModel[] }) =>
          Promise.resolve(roots.map(view))
      },
      require: (name: string) => modules[name],
      set_log_level: () => undefined
    } as unknown as IBokeh;
  }

  private part(): { ready: Promise<void> } {
    const ready = (): Promise<void> => this.ready;
    return {
      get ready() {
        return ready();
      }
    };
  }
}

const frame: IFrame = {
  tokens: ['a', 'b'],
  keyTokens: ['a', 'b'],
  queryAxis: '',
  keyAxis: '',
  width: 300,
  ink: { text: '', line: '', font: '' },
  hover: () => []
};

function layer(...values: number[]): ILayer {
  const matrix = { rows: 2, columns: 2, values: Float32Array.from(values) };
  const found = extent(matrix);
  const scale = scaleFor(found, 'cividis', 'PuOr');
  return { kind: 'mine', matrix, scale, extent: found };
}

async function shown(): Promise<[FakeBokeh, HeatmapPlot]> {
  const fake = new FakeBokeh();
  const host = document.createElement('div');
  const plot = new HeatmapPlot(fake.bokeh, host, layer(0, 0, 0, 1), frame);
  await plot.show();
  fake.told.length = 0;
  return [fake, plot];
}

describe('new numbers in a plot', () => {
  it('are painted once, without waiting for a frame', async () => {
    const [fake, plot] = await shown();
    const asked = jest.spyOn(window, 'requestAnimationFrame');
    await plot.update(layer(0, 0, 0, 2), frame);
    expect(fake.told).toEqual(['pause', 'new scale', 'unpause', 'repaint']);
    expect(asked).not.toHaveBeenCalled();
  });

  it('are not painted where they are the same', async () => {
    const fake = new FakeBokeh();
    const same = layer(0, 0, 0, 1);
    const host = document.createElement('div');
    const plot = new HeatmapPlot(fake.bokeh, host, same, frame);
    await plot.show();
    fake.told.length = 0;
    await plot.update(same, frame);
    expect(fake.told).toEqual([]);
  });

  it('are painted although a part could not take them in', async () => {
    const [fake, plot] = await shown();
    fake.ready = Promise.reject(new Error('no data'));
    await plot.update(layer(0, 0, 0, 2), frame);
    expect(fake.told.slice(-2)).toEqual(['unpause', 'repaint']);
  });

  it('are not painted where the plot has gone meanwhile', async () => {
    const [fake, plot] = await shown();
    const updated = plot.update(layer(0, 0, 0, 2), frame);
    plot.dispose();
    await updated;
    expect(fake.told).not.toContain('repaint');
    expect(fake.told).toContain('unpause');
  });
});
