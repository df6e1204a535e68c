import {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { cellsOf } from '../lesson/notebook';
import { ILiveNotebook, ILiveNotebooks, ISidePanel } from '../tokens';
import { HintsModel } from './model';
import { HintsPanel } from './panel';

const ID = 'jupyterlab-attention:hints';

namespace CommandIDs {
  export const show = 'attention-course:show-hints';
  export const openNext = 'attention-course:open-next-hint';
}

/** The Hints section: those of the exercise where the cursor is. */
export const hintsPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description:
    'Shows the hints of the exercise where the cursor is, one at a time.',
  autoStart: true,
  requires: [ILiveNotebooks, ISidePanel, IRenderMimeRegistry],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    notebooks: ILiveNotebooks,
    side: ISidePanel,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyterlab_attention');
    const panel = new HintsPanel(rendermime, trans);
    side.add(panel, 10);
    const followed = new Follower(notebooks, panel);

    app.commands.addCommand(CommandIDs.show, {
      label: trans.__('Show Hints'),
      caption: trans.__('Open the hints of the exercise at the cursor.'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => side.reveal(panel)
    });
    app.commands.addCommand(CommandIDs.openNext, {
      label: trans.__('Open the Next Hint'),
      caption: trans.__('Open one more hint of the exercise at the cursor.'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        side.reveal(panel);
        panel.openNext();
      }
    });
    for (const command of [CommandIDs.show, CommandIDs.openNext]) {
      palette?.addItem({ command, category: trans.__('Attention Course') });
    }
    void followed;
  }
};

/** Keeps one model for each notebook, and the panel on the cursor of the current one. */
class Follower {
  constructor(
    notebooks: ILiveNotebooks,
    private readonly panel: HintsPanel
  ) {
    notebooks.currentChanged.connect((_, current) => this._follow(current));
    this._follow(notebooks.current);
  }

  private _follow(current: ILiveNotebook | null): void {
    const before = this._current;
    if (before && !before.notebook.isDisposed) {
      before.notebook.activeCellChanged.disconnect(this._look, this);
      before.notebook.modelContentChanged.disconnect(this._look, this);
    }
    this._current = current;
    if (!current) {
      this.panel.follow(null, null);
      return;
    }
    let model = this._models.get(current);
    if (!model) {
      model = new HintsModel(current.model, message => current.send(message));
      this._models.set(current, model);
    }
    this.panel.follow(current, model);
    current.notebook.activeCellChanged.connect(this._look, this);
    current.notebook.modelContentChanged.connect(this._look, this);
    this._look();
  }

  /** Look where the cursor is, once a pause: typing changes the content with each key. */
  private _look(): void {
    clearTimeout(this._looking);
    this._looking = window.setTimeout(() => {
      const current = this._current;
      if (current && !current.notebook.isDisposed) {
        this._models
          .get(current)
          ?.look(cellsOf(current), current.notebook.activeCellIndex);
      }
    }, 50);
  }

  private _models = new WeakMap<ILiveNotebook, HintsModel>();
  private _current: ILiveNotebook | null = null;
  private _looking = 0;
}
