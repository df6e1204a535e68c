import type { TranslationBundle } from '@jupyterlab/translation';

import { element, say } from '../dom';
import { loadBokeh } from './bokeh';
import { moved } from './keyboard';
import { IFrame, IInk } from './figure';
import { ILayer, Kind, KINDS } from './layers';
import { HeatmapModel } from './model';
import { HeatmapPlot } from './plot';
import { cellLines, nameOf, scaleWords } from './words';

const NARROWEST = 250; // pixels of a picture that stands beside another

interface IPlace {
  readonly figure: HTMLElement;
  readonly host: HTMLElement;
  readonly title: HTMLElement;
  readonly words: HTMLElement;
  plot: HeatmapPlot | null;
}

/** The heatmaps of the panel, one for each layer of the model. */
export class Plots {
  constructor(
    private readonly model: HeatmapModel,
    private readonly trans: TranslationBundle
  ) {
    this.node = element('div', { class: 'jp-attention-plots' });
  }

  readonly node: HTMLElement;

  /** Draw what the model holds, `width` pixels wide in all. */
  async draw(width: number): Promise<void> {
    const bokeh = await loadBokeh();
    const { layers, picture } = this.model;
    if (this._disposed) {
      return;
    }
    for (const [kind, place] of this._places) {
      if (!layers.some(layer => layer.kind === kind)) {
        place.plot?.dispose();
        place.figure.remove();
        this._places.delete(kind);
      }
    }
    const columns = Math.max(
      1,
      Math.min(layers.length, Math.floor(width / NARROWEST))
    );
    const each = Math.floor(width / columns) - (columns > 1 ? 8 : 0);
    const ink = this._ink ?? (this._ink = inkOf(this.node));
    for (const layer of layers) {
      const place = this._place(layer.kind);
      const frame: IFrame = {
        tokens: picture!.tokens,
        keyTokens: picture!.keyTokens,
        queryAxis: this.trans.__('query (looks)'),
        keyAxis: this.trans.__('key (is looked at)'),
        width: each,
        ink,
        hover: cursor => cellLines(this.model, cursor, this.trans)
      };
      if (place.plot?.fits(layer, frame)) {
        place.plot.update(layer, frame);
        // Words after the picture: a canvas's font asks for styles, which words change.
        this._describe(place, layer);
      } else {
        this._describe(place, layer);
        place.plot?.dispose();
        place.plot = new HeatmapPlot(bokeh, place.host, layer, frame);
        place.plot.mark(this.model.cursor);
        await place.plot.show();
      }
    }
    // Which picture is drawn now: for style sheets, and for who waits for it.
    if (picture) {
      this.node.dataset.exercise = picture.exercise;
      this.node.dataset.sequence = String(picture.sequence);
    }
  }

  /** The picture is gone. */
  clear(): void {
    delete this.node.dataset.exercise;
    delete this.node.dataset.sequence;
  }

  /** Outline the cell that is looked at in each picture. */
  mark(): void {
    for (const { plot } of this._places.values()) {
      plot?.mark(this.model.cursor);
    }
  }

  /** Read the page's colours anew: its theme has changed. */
  forgetInk(): void {
    this._ink = null;
  }

  focus(): boolean {
    const [first] = this._places.values();
    first?.figure.focus();
    return first !== undefined;
  }

  dispose(): void {
    this._disposed = true;
    for (const { plot } of this._places.values()) {
      plot?.dispose();
    }
    this._places.clear();
  }

  private _place(kind: Kind): IPlace {
    const found = this._places.get(kind);
    if (found) {
      return found;
    }
    const title = element('div', { class: 'jp-attention-kind' });
    const host = element('div', {
      class: 'jp-attention-plot',
      'data-kind': kind
    });
    const words = element('p', { class: 'jp-attention-words' });
    const figure = element(
      'div',
      {
        class: 'jp-attention-figure',
        role: 'application',
        tabindex: '0',
        'aria-roledescription': this.trans.__('heatmap')
      },
      title,
      host,
      words
    );
    figure.addEventListener('keydown', event => this._onKey(event));
    host.addEventListener('dblclick', () => place.plot?.reset());
    const place: IPlace = { figure, host, title, words, plot: null };
    this._places.set(kind, place);
    // In the order of the layers, whichever came first.
    this.node.append(
      ...KINDS.flatMap(one => this._places.get(one)?.figure ?? [])
    );
    return place;
  }

  private _describe(place: IPlace, layer: ILayer): void {
    const { trans } = this;
    const name = nameOf(layer.kind, trans);
    const { rows, columns } = layer.matrix;
    const label = trans.__(
      '%1: heatmap of %2 queries by %3 keys. Arrow keys move over its cells.',
      name,
      rows,
      columns
    );
    // Only what has changed: setting it anew would be read out anew.
    const title =
      layer.kind === 'difference'
        ? trans.__('Difference (yours − reference)')
        : name;
    say(place.title, title);
    if (place.figure.getAttribute('aria-label') !== label) {
      place.figure.setAttribute('aria-label', label);
    }
    say(place.words, scaleWords(layer, trans));
  }

  private _onKey(event: KeyboardEvent): void {
    const matrix = this.model.layers[0]?.matrix;
    if (!matrix || event.altKey || event.metaKey) {
      return;
    }
    if (event.key === 'Escape' && this.model.cursor) {
      this.model.cursor = null;
      event.stopPropagation();
      return;
    }
    const { rows, columns } = matrix;
    const to = moved(
      this.model.cursor,
      event.key,
      event.ctrlKey,
      rows,
      columns
    );
    if (to) {
      event.preventDefault(); // the panel does not scroll meanwhile
      event.stopPropagation();
      this.model.cursor = to;
    }
  }

  private readonly _places = new Map<Kind, IPlace>();
  private _ink: IInk | null = null;
  private _disposed = false;
}

function inkOf(node: HTMLElement): IInk {
  const style = getComputedStyle(node);
  const read = (name: string, otherwise: string): string =>
    style.getPropertyValue(name).trim() || otherwise;
  return {
    text: read('--jp-ui-font-color1', '#212121'),
    line: read('--jp-border-color0', '#9e9e9e'),
    font: read('--jp-ui-font-family', 'sans-serif')
  };
}
