import {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, IThemeManager } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { readSettings } from '../settings';
import { ILiveNotebooks, ISidePanel } from '../tokens';
import { View } from './layers';
import { HeatmapModel } from './model';
import { Diverging, Sequential } from './palette';
import { HeatmapPanel } from './panel';

const ID = 'jupyterlab-attention:heatmap';

namespace CommandIDs {
  export const show = 'attention-course:show-heatmap';
}

interface IHeatmapSettings {
  view: View;
  palette: Sequential;
  differencePalette: Diverging;
}

/** The Attention section: a heatmap that redraws the moment a cell has run. */
export const heatmapPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description:
    'Draws the lesson’s scores and weights the moment a cell has run.',
  autoStart: true,
  requires: [ILiveNotebooks, ISidePanel],
  optional: [ICommandPalette, ISettingRegistry, IThemeManager, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    notebooks: ILiveNotebooks,
    side: ISidePanel,
    palette: ICommandPalette | null,
    registry: ISettingRegistry | null,
    themes: IThemeManager | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyterlab_attention');
    const model = new HeatmapModel();
    const panel = new HeatmapPanel(notebooks, model, trans);
    side.add(panel, 20, 2.4);
    themes?.themeChanged.connect(() => panel.onTheme());

    const defaults: IHeatmapSettings = {
      view: 'all',
      palette: 'cividis',
      differencePalette: 'PuOr'
    };
    void readSettings(registry, ID, defaults).then(settings => {
      const apply = ({
        view,
        palette,
        differencePalette
      }: IHeatmapSettings): void => {
        model.view = view;
        model.colours = { sequential: palette, diverging: differencePalette };
      };
      settings.changed.connect((_, value) => apply(value));
      apply(settings.value);
    });

    app.commands.addCommand(CommandIDs.show, {
      label: trans.__('Show the Attention Heatmap'),
      caption: trans.__('Open the heatmap beside the lesson and go to it.'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => side.reveal(panel)
    });
    palette?.addItem({
      command: CommandIDs.show,
      category: trans.__('Attention Course')
    });
  }
};
