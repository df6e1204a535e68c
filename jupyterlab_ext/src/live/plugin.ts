import {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ISignal, Signal } from '@lumino/signaling';

import { ILiveNotebook, ILiveNotebooks } from '../tokens';
import { LiveConnection } from './connection';
import { LiveModel } from './model';

/** Listens to each notebook's kernel, and follows the notebook that is looked at. */
export const livePlugin: JupyterFrontEndPlugin<ILiveNotebooks> = {
  id: 'jupyterlab-attention:live',
  description: 'Hears what the course tells from each notebook’s kernel.',
  autoStart: true,
  provides: ILiveNotebooks,
  requires: [INotebookTracker],
  activate: (_: JupyterFrontEnd, tracker: INotebookTracker) =>
    new LiveNotebooks(tracker)
};

class LiveNotebooks implements ILiveNotebooks {
  constructor(private readonly tracker: INotebookTracker) {
    tracker.forEach(panel => this._add(panel));
    tracker.widgetAdded.connect((_, panel) => this._add(panel));
    tracker.currentChanged.connect(() => this._follow());
    this._follow();
  }

  get current(): ILiveNotebook | null {
    return this._current;
  }

  get currentChanged(): ISignal<ILiveNotebooks, ILiveNotebook | null> {
    return this._currentChanged;
  }

  private _add(panel: NotebookPanel): void {
    if (this._open.has(panel)) {
      return;
    }
    const model = new LiveModel();
    const connection = new LiveConnection(panel.sessionContext, model);
    this._open.set(panel, {
      model,
      notebook: panel.content,
      get cells() {
        return panel.isDisposed ? null : panel.content.model;
      },
      sessionContext: panel.sessionContext,
      send: message => connection.send(message)
    });
    panel.disposed.connect(() => {
      this._open.delete(panel);
      this._follow();
      connection.dispose();
      model.dispose();
    });
    this._follow();
  }

  private _follow(): void {
    const panel = this.tracker.currentWidget;
    const now = (panel && this._open.get(panel)) ?? null;
    if (now !== this._current) {
      this._current = now;
      this._currentChanged.emit(now);
    }
  }

  private _open = new Map<NotebookPanel, ILiveNotebook>();
  private _current: ILiveNotebook | null = null;
  private _currentChanged = new Signal<ILiveNotebooks, ILiveNotebook | null>(
    this
  );
}
