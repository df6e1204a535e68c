import { ISessionContext } from '@jupyterlab/apputils';
import { INotebookModel, Notebook } from '@jupyterlab/notebook';
import { Token } from '@lumino/coreutils';
import { ISignal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { LabMessage } from './live/messages';
import { LiveModel } from './live/model';

/** One open notebook and what its kernel has told. */
export interface ILiveNotebook {
  readonly model: LiveModel;
  readonly notebook: Notebook;
  readonly cells: INotebookModel | null;
  readonly sessionContext: ISessionContext;
  /** Tell the kernel; false where nobody hears it. */
  send(message: LabMessage): boolean;
}

/** The notebooks that are open, and the one that the panels follow. */
export interface ILiveNotebooks {
  readonly current: ILiveNotebook | null;
  readonly currentChanged: ISignal<ILiveNotebooks, ILiveNotebook | null>;
}

export const ILiveNotebooks = new Token<ILiveNotebooks>(
  'jupyterlab-attention:ILiveNotebooks',
  'The open notebooks with what the course has told from their kernels.'
);

/** The side panel that holds the sections. */
export interface ISidePanel {
  /** Put a section at its place: lower ranks further up. `share` is its part of the height. */
  add(section: Widget, rank: number, share?: number): void;
  /** Show a section, and put the keyboard's focus into it. */
  reveal(section: Widget): void;
}

export const ISidePanel = new Token<ISidePanel>(
  'jupyterlab-attention:ISidePanel',
  'The side panel beside the lesson, with one section for each of its parts.'
);
