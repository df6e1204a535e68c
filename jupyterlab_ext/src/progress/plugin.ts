import {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { ILiveNotebooks, ISidePanel } from '../tokens';
import { ProgressPanel } from './panel';

const ID = 'jupyterlab-attention:progress';

namespace CommandIDs {
  export const show = 'attention-course:show-progress';
}

/** The Progress section. */
export const progressPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Shows points, attempts and what is next in the lesson.',
  autoStart: true,
  requires: [ILiveNotebooks, ISidePanel],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    notebooks: ILiveNotebooks,
    side: ISidePanel,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyterlab_attention');
    const panel = new ProgressPanel(notebooks, trans);
    side.add(panel, 30);

    app.commands.addCommand(CommandIDs.show, {
      label: trans.__('Show Lesson Progress'),
      caption: trans.__('Open points, attempts and what is next.'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => side.reveal(panel)
    });
    palette?.addItem({
      command: CommandIDs.show,
      category: trans.__('Attention Course')
    });
  }
};
