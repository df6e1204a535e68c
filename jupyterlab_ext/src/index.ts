import { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { heatmapPlugin } from './heatmap/plugin';
import { hintsPlugin } from './hints/plugin';
import { livePlugin } from './live/plugin';
import { progressPlugin } from './progress/plugin';
import { sidebarPlugin } from './sidebar/plugin';

export { ILiveNotebooks, ISidePanel } from './tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  livePlugin,
  sidebarPlugin,
  hintsPlugin,
  heatmapPlugin,
  progressPlugin
];

export default plugins;
