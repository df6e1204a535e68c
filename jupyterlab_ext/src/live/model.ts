import { ISignal, Signal } from '@lumino/signaling';

import { Frames } from './frames';
import {
  IExercise,
  IPicture,
  IProgress,
  IVerdict,
  KernelMessage
} from './messages';

/** Whether there is a kernel, and whether the course has spoken from it. */
export type Connection = 'no kernel' | 'waiting' | 'live';

/** What has changed. */
export type Change = 'pictures' | 'verdicts' | 'progress' | 'connection';

/**
 * All that one notebook's kernel has told, and nothing that it has not.
 *
 * Knows no widgets and no comms: messages come in through `take`, changes go out as a signal.
 */
export class LiveModel {
  constructor(
    nextFrame: (draw: () => void) => void = draw => requestAnimationFrame(draw)
  ) {
    this._frames = new Frames((_, picture) => this._show(picture), nextFrame);
  }

  get changed(): ISignal<this, Change> {
    return this._changed;
  }

  get connection(): Connection {
    return this._connection;
  }

  set connection(value: Connection) {
    if (value !== this._connection) {
      this._connection = value;
      this._changed.emit('connection');
    }
  }

  /** The version that the kernel speaks, if it is another than ours. */
  get otherVersion(): string | null {
    return this._otherVersion;
  }

  get exercises(): readonly IExercise[] {
    return this._exercises;
  }

  /** Pictures by exercise, the one drawn last at the end. */
  get pictures(): ReadonlyMap<string, IPicture> {
    return this._pictures;
  }

  get verdicts(): ReadonlyMap<string, IVerdict> {
    return this._verdicts;
  }

  get progress(): IProgress | null {
    return this._progress;
  }

  /** The title of an exercise in words. */
  titleOf(exercise: string): string {
    const known =
      this._exercises.find(one => one.exercise === exercise) ??
      this._progress?.exercises.find(one => one.exercise === exercise);
    return known?.title || exercise.replace(/_/g, ' ');
  }

  /** Take in what the kernel has said. */
  take(message: KernelMessage): void {
    switch (message.type) {
      case 'hello':
        if (message.session !== this._session) {
          this.clear();
          this._session = message.session;
        }
        this._otherVersion = null;
        if (message.exercises.length > 0) {
          this._exercises = message.exercises;
        }
        this._connection = 'live';
        this._changed.emit('connection');
        break;
      case 'matrices':
        if (this._isNew('matrices', message.picture)) {
          this._frames.put(message.picture.exercise, message.picture);
        }
        break;
      case 'clear':
        if (this._isNew('matrices', message)) {
          this._frames.drop(message.exercise);
          this._pictures.delete(message.exercise);
          this._changed.emit('pictures');
        }
        break;
      case 'verdict':
        if (this._isNew('verdict', message.verdict)) {
          this._verdicts.set(message.verdict.exercise, message.verdict);
          this._changed.emit('verdicts');
        }
        break;
      case 'progress':
        if (this._isNew('progress', { exercise: '', ...message.progress })) {
          this._progress = message.progress;
          this._changed.emit('progress');
        }
        break;
      case 'other version':
        if (this._otherVersion === null) {
          this._otherVersion = message.version || '?';
          this._changed.emit('connection');
        }
        break;
    }
  }

  /** Forget everything: the kernel that told it is gone. */
  clear(): void {
    this._frames.clear();
    this._seen.clear();
    this._session = '';
    this._otherVersion = null;
    this._pictures.clear();
    this._verdicts.clear();
    this._progress = null;
    this._changed.emit('pictures');
    this._changed.emit('verdicts');
    this._changed.emit('progress');
  }

  dispose(): void {
    this._frames.dispose();
    Signal.clearData(this);
  }

  private _show(picture: IPicture): void {
    // Set anew, so that the newest is the last of the map.
    this._pictures.delete(picture.exercise);
    this._pictures.set(picture.exercise, picture);
    this._changed.emit('pictures');
  }

  /** False for what was sent again: after a refresh, or on a second comm. */
  private _isNew(
    kind: string,
    said: { exercise: string; sequence: number }
  ): boolean {
    const key = `${kind} ${said.exercise}`;
    if (said.sequence <= (this._seen.get(key) ?? -1)) {
      return false;
    }
    this._seen.set(key, said.sequence);
    return true;
  }

  private _changed = new Signal<this, Change>(this);
  private _connection: Connection = 'no kernel';
  private _session = '';
  private _otherVersion: string | null = null;
  private _exercises: readonly IExercise[] = [];
  private _pictures = new Map<string, IPicture>();
  private _verdicts = new Map<string, IVerdict>();
  private _progress: IProgress | null = null;
  private _seen = new Map<string, number>();
  private readonly _frames: Frames<string, IPicture>;
}
