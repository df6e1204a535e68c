import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { SidePanel } from '@jupyterlab/ui-components';
import { AccordionPanel, Widget } from '@lumino/widgets';

import { attentionIcon } from '../icon';
import { hasLesson } from '../lesson/cells';
import { cellsOf } from '../lesson/notebook';
import { readSettings } from '../settings';
import { ILiveNotebook, ILiveNotebooks, ISidePanel } from '../tokens';

const ID = 'jupyterlab-attention:sidebar';

/** The panel beside the lesson. It opens by itself, once, for each lesson that is opened. */
export const sidebarPlugin: JupyterFrontEndPlugin<ISidePanel> = {
  id: ID,
  description: 'The panel beside the lesson that holds the course’s sections.',
  autoStart: true,
  provides: ISidePanel,
  requires: [ILiveNotebooks],
  optional: [ISettingRegistry, ITranslator, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    notebooks: ILiveNotebooks,
    settings: ISettingRegistry | null,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null
  ): ISidePanel => {
    const trans = (translator ?? nullTranslator).load('jupyterlab_attention');
    const panel = new SidePanel();
    panel.id = 'jp-attention-panels';
    panel.addClass('jp-attention-panels');
    panel.title.icon = attentionIcon;
    panel.title.caption = trans.__(
      'Attention course: hints, heatmap, progress'
    );
    panel.node.setAttribute('role', 'region');
    panel.node.setAttribute('aria-label', trans.__('Attention course'));
    app.shell.add(panel, 'right', { rank: 150, type: 'Attention course' });
    restorer?.add(panel, 'attention-panels');

    const content = panel.content as AccordionPanel;
    const ranks = new Map<Widget, number>();
    const shares = new Map<Widget, number>();
    const share = (): void => {
      const parts = content.widgets.map(one => shares.get(one) ?? 1);
      content.setRelativeSizes(parts);
    };
    const opens = readSettings(settings, ID, { openWithLesson: true });
    const opened = new WeakSet<ILiveNotebook>();

    const openBesideLesson = async (): Promise<void> => {
      const current = notebooks.current;
      if (!current || opened.has(current)) {
        return;
      }
      const wanted = (await opens).value.openWithLesson;
      await app.restored;
      await current.sessionContext.ready.catch(() => undefined);
      if (
        wanted &&
        current === notebooks.current &&
        !opened.has(current) &&
        hasLesson(cellsOf(current))
      ) {
        opened.add(current);
        showArea(app, panel);
        // Notebook 7 gives the sections their sizes only when they are first seen.
        requestAnimationFrame(share);
      }
    };
    notebooks.currentChanged.connect(() => void openBesideLesson());
    void openBesideLesson();

    return {
      add: (section, rank, part = 1) => {
        const before = [...ranks.values()].filter(one => one <= rank).length;
        ranks.set(section, rank);
        shares.set(section, part);
        panel.insertWidget(before, section);
        share();
      },
      reveal: section => {
        showArea(app, panel);
        content.expand(content.widgets.indexOf(section));
        section.activate();
      }
    };
  }
};

/** Show the side area with the panel in it, in JupyterLab and in Notebook 7. */
function showArea(app: JupyterFrontEnd, panel: Widget): void {
  const shell = app.shell as JupyterFrontEnd.IShell & {
    expandRight?: (id?: string) => void;
    activateById: (id: string) => void;
  };
  const focused = document.activeElement;
  if (shell.expandRight) {
    shell.expandRight(panel.id);
  }
  shell.activateById(panel.id);
  // Whoever types in the notebook goes on typing there.
  if (focused instanceof HTMLElement && focused !== document.activeElement) {
    focused.focus();
  }
}
