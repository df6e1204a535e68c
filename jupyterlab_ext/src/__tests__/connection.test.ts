import { ISessionContext } from '@jupyterlab/apputils';
import { Signal } from '@lumino/signaling';

import { LiveConnection } from '../live/connection';
import { TARGET } from '../live/messages';
import { LiveModel } from '../live/model';
import { HELLO, Screen, VERDICT } from './fixtures';

/** A kernel connection as far as comms go. */
class FakeKernel {
  constructor(
    readonly handleComms = true,
    private readonly open: string[] = []
  ) {}

  readonly username = 'student';
  readonly clientId = 'page';
  readonly info = Promise.resolve({});
  isDisposed = false;
  readonly targets = new Map<string, (comm: any, message: any) => void>();
  readonly comms = new Map<string, any>();
  readonly sent: any[] = [];

  registerCommTarget(name: string, opened: (comm: any, message: any) => void) {
    this.targets.set(name, opened);
  }
  removeCommTarget(name: string) {
    this.targets.delete(name);
  }
  hasComm(id: string) {
    return this.comms.has(id);
  }
  createComm(_: string, id: string) {
    if (!this.handleComms) {
      throw new Error('Comms are disabled on this kernel connection');
    }
    const comm = { commId: id, onMsg: null, onClose: null };
    this.comms.set(id, comm);
    return comm;
  }
  async requestCommInfo(content: { target_name: string }) {
    expect(content).toEqual({ target_name: TARGET });
    const comms = Object.fromEntries(
      this.open.map(id => [id, { target_name: TARGET }])
    );
    return { content: { status: 'ok', comms } };
  }
  sendShellMessage(message: any) {
    this.sent.push(message.content);
  }

  /** The kernel opens a comm, as at the end of the first cell. */
  opens(id: string, data: object) {
    const comm = this.createComm(TARGET, id);
    this.targets.get(TARGET)?.(comm, message('comm_open', id, data));
    return comm;
  }
}

class FakeContext {
  constructor(public kernel: FakeKernel | null) {}
  readonly kernelChanged = new Signal<this, unknown>(this);
  readonly statusChanged = new Signal<this, string>(this);
  readonly iopubMessage = new Signal<this, unknown>(this);
  get session() {
    return this.kernel ? { kernel: this.kernel } : null;
  }
}

function message(type: string, id: string, data: object) {
  return {
    header: { msg_type: type },
    content: { comm_id: id, target_name: TARGET, data },
    buffers: []
  };
}

const REFRESH = { version: 1, type: 'refresh' };
const settled = () => new Promise(resolve => setTimeout(resolve));

function connected(kernel: FakeKernel | null) {
  const context = new FakeContext(kernel);
  const model = new LiveModel(new Screen().nextFrame);
  const connection = new LiveConnection(
    context as unknown as ISessionContext,
    model
  );
  return { context, model, connection };
}

test('a comm that the kernel opens is answered with a refresh', async () => {
  const kernel = new FakeKernel();
  const { model } = connected(kernel);
  await settled();
  expect(model.connection).toBe('waiting');
  expect(kernel.sent).toEqual([]);
  kernel.opens('one', HELLO);
  expect(model.connection).toBe('live');
  expect(kernel.sent).toEqual([{ comm_id: 'one', data: REFRESH }]);
});

test('a page that comes later joins the comm that is there', async () => {
  const kernel = new FakeKernel(true, ['old']);
  const { model } = connected(kernel);
  await settled();
  expect(kernel.sent).toEqual([{ comm_id: 'old', data: REFRESH }]);
  kernel.comms.get('old').onMsg(message('comm_msg', 'old', HELLO));
  expect(model.connection).toBe('live');
});

test('where a console was first, messages are read and sent past the connection', async () => {
  const kernel = new FakeKernel(false, ['old']);
  const { context, model, connection } = connected(kernel);
  await settled();
  expect(kernel.sent).toEqual([{ comm_id: 'old', data: REFRESH }]);
  context.iopubMessage.emit(message('comm_msg', 'old', HELLO));
  context.iopubMessage.emit(message('comm_msg', 'old', VERDICT));
  context.iopubMessage.emit(message('comm_msg', 'of another', VERDICT));
  expect(model.verdicts.size).toBe(1);
  context.iopubMessage.emit(message('comm_open', 'new', HELLO));
  expect(kernel.sent).toHaveLength(2);
  expect(
    connection.send({ version: 1, type: 'hint_opened', exercise: 'a', tier: 1 })
  ).toBe(true);
});

test('a connection that handles comms does not read them twice', async () => {
  const { context, model } = connected(new FakeKernel());
  await settled();
  context.iopubMessage.emit(message('comm_open', 'one', HELLO));
  expect(model.connection).toBe('waiting');
});

test.each(['restarting', 'autorestarting', 'dead', 'terminating'])(
  'a kernel that is %s takes its pictures with it',
  async status => {
    const kernel = new FakeKernel();
    const { context, model, connection } = connected(kernel);
    kernel.opens('one', HELLO);
    kernel.comms.get('one').onMsg(message('comm_msg', 'one', VERDICT));
    expect(model.verdicts.size).toBe(1);
    context.statusChanged.emit(status);
    expect(model.verdicts.size).toBe(0);
    expect(model.connection).not.toBe('live');
    expect(connection.send({ version: 1, type: 'refresh' })).toBe(false);
  }
);

test('after a restart the new comm is taken', async () => {
  const kernel = new FakeKernel();
  const { context, model } = connected(kernel);
  kernel.opens('one', HELLO);
  context.statusChanged.emit('restarting');
  kernel.opens('two', { ...HELLO, session: 'second' });
  expect(model.connection).toBe('live');
  expect(kernel.sent[1]).toEqual({ comm_id: 'two', data: REFRESH });
});

test('another kernel is listened to, and the old one no more', async () => {
  const kernel = new FakeKernel();
  const { context, model } = connected(kernel);
  const next = new FakeKernel();
  context.kernel = next;
  context.kernelChanged.emit(null);
  expect(kernel.targets.size).toBe(0);
  next.opens('one', HELLO);
  expect(model.connection).toBe('live');
});

test('without a kernel nothing is sent', () => {
  const { model, connection } = connected(null);
  expect(model.connection).toBe('no kernel');
  expect(connection.send({ version: 1, type: 'refresh' })).toBe(false);
});

test('a notebook that is closed forgets its comm and does not close it', async () => {
  const kernel = new FakeKernel();
  const { connection, model } = connected(kernel);
  const comm = kernel.opens('one', HELLO);
  connection.dispose();
  expect(kernel.targets.size).toBe(0);
  comm.onMsg(message('comm_msg', 'one', VERDICT));
  expect(model.verdicts.size).toBe(0);
});
