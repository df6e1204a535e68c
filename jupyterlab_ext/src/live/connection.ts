import { ISessionContext } from '@jupyterlab/apputils';
import { Kernel, KernelMessage as Jupyter } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';
import { DisposableDelegate, IDisposable } from '@lumino/disposable';

import { LabMessage, readMessage, TARGET, VERSION } from './messages';
import { LiveModel } from './model';

/**
 * Ties one notebook's kernel to its model, through restarts, crashes and reloads.
 *
 * The rules are those of docs/live-messages.md, "Who opens the comm". A comm is only ever
 * forgotten here, never closed: closing would tell the kernel that nobody knows the target.
 */
export class LiveConnection implements IDisposable {
  constructor(
    private readonly context: ISessionContext,
    private readonly model: LiveModel
  ) {
    context.kernelChanged.connect(this._onKernelChanged, this);
    context.statusChanged.connect(this._onStatus, this);
    context.iopubMessage.connect(this._onIOPub, this);
    this._onKernelChanged();
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    if (this._disposed) {
      return;
    }
    this._disposed = true;
    this.context.kernelChanged.disconnect(this._onKernelChanged, this);
    this.context.statusChanged.disconnect(this._onStatus, this);
    this.context.iopubMessage.disconnect(this._onIOPub, this);
    this._forget();
    this._registration?.dispose();
  }

  /** Tell the kernel; false where nobody is there to hear it. */
  send(message: LabMessage): boolean {
    const [id] = this._comms;
    const kernel = this._kernel;
    if (!kernel || !id || kernel.isDisposed) {
      return false;
    }
    this._sendOn(kernel, id, message);
    return true;
  }

  private _onKernelChanged(): void {
    const kernel = this.context.session?.kernel ?? null;
    if (kernel === this._kernel) {
      return;
    }
    this._forget();
    this._registration?.dispose();
    this._registration = null;
    this._kernel = kernel;
    this.model.clear();
    this.model.connection = kernel ? 'waiting' : 'no kernel';
    if (!kernel) {
      return;
    }
    if (kernel.handleComms) {
      const opened = (
        comm: Kernel.IComm,
        message: Jupyter.ICommOpenMsg
      ): void => {
        this._adopt(comm);
        this._take(message);
        this._refresh(comm.commId);
      };
      kernel.registerCommTarget(TARGET, opened);
      this._registration = new DisposableDelegate(() => {
        if (!kernel.isDisposed) {
          kernel.removeCommTarget(TARGET, opened);
        }
      });
    }
    void this._join(kernel);
  }

  /** Find comms that are open already: a reloaded page, a second tab. */
  private async _join(kernel: Kernel.IKernelConnection): Promise<void> {
    try {
      await kernel.info;
      const reply = await kernel.requestCommInfo({ target_name: TARGET });
      if (
        this._disposed ||
        kernel !== this._kernel ||
        reply.content.status !== 'ok'
      ) {
        return;
      }
      for (const id of Object.keys(reply.content.comms)) {
        if (this._comms.has(id)) {
          continue;
        }
        if (kernel.handleComms) {
          if (kernel.hasComm(id)) {
            continue;
          }
          this._adopt(kernel.createComm(TARGET, id));
        } else {
          this._comms.add(id);
        }
        this._refresh(id);
      }
    } catch {
      // A kernel that ends while it is asked; a new one is heard of by itself.
    }
  }

  private _adopt(comm: Kernel.IComm): void {
    this._comms.add(comm.commId);
    comm.onMsg = message => this._take(message);
    comm.onClose = () => {
      this._comms.delete(comm.commId);
    };
  }

  private _refresh(id: string): void {
    if (this._kernel) {
      this._sendOn(this._kernel, id, { version: VERSION, type: 'refresh' });
    }
  }

  /** One way for both kinds of connection: ours does not own the comm. */
  private _sendOn(
    kernel: Kernel.IKernelConnection,
    id: string,
    data: LabMessage
  ): void {
    const message = {
      channel: 'shell' as const,
      username: kernel.username,
      session: kernel.clientId,
      header: {
        date: new Date().toISOString(),
        msg_id: UUID.uuid4(),
        msg_type: 'comm_msg' as const,
        session: kernel.clientId,
        username: kernel.username,
        version: '5.3'
      },
      parent_header: {},
      metadata: {},
      content: { comm_id: id, data },
      buffers: []
    };
    try {
      kernel.sendShellMessage(
        message as unknown as Jupyter.IShellMessage,
        false,
        true
      );
    } catch {
      // A kernel that has just ended.
    }
  }

  /** A console was there first: this connection leaves comms alone, so they are read here. */
  private _onIOPub(_: ISessionContext, message: Jupyter.IMessage): void {
    const kernel = this._kernel;
    if (!kernel || kernel.handleComms) {
      return;
    }
    const content = message.content as {
      comm_id?: string;
      target_name?: string;
    };
    const id = content.comm_id ?? '';
    if (
      message.header.msg_type === 'comm_open' &&
      content.target_name === TARGET
    ) {
      this._comms.add(id);
      this._take(message as Jupyter.ICommOpenMsg);
      this._refresh(id);
    } else if (message.header.msg_type === 'comm_msg' && this._comms.has(id)) {
      this._take(message as Jupyter.ICommMsgMsg);
    } else if (message.header.msg_type === 'comm_close') {
      this._comms.delete(id);
    }
  }

  private _onStatus(_: ISessionContext, status: Kernel.Status): void {
    if (
      status === 'restarting' ||
      status === 'autorestarting' ||
      status === 'dead' ||
      status === 'terminating'
    ) {
      this._forget();
      this.model.clear();
      this.model.connection = status.endsWith('restarting')
        ? 'waiting'
        : 'no kernel';
    }
  }

  private _take(message: Jupyter.ICommOpenMsg | Jupyter.ICommMsgMsg): void {
    if (!this._disposed) {
      this.model.take(readMessage(message.content.data, message.buffers));
    }
  }

  private _forget(): void {
    this._comms.clear();
  }

  private _kernel: Kernel.IKernelConnection | null = null;
  private _registration: IDisposable | null = null;
  private _comms = new Set<string>();
  private _disposed = false;
}
