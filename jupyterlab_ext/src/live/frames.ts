/**
 * Lets the first update through at once, and then the newest once a frame. The last one always
 * comes through.
 */
export class Frames<Key, Value> {
  /**
   * @param deliver - draws; at most once a frame for each key.
   * @param nextFrame - asks for a frame; `window.requestAnimationFrame` on a page.
   */
  constructor(
    private readonly deliver: (key: Key, value: Value) => void,
    private readonly nextFrame: (draw: () => void) => void
  ) {}

  put(key: Key, value: Value): void {
    if (this._disposed) {
      return;
    }
    if (!this._asked) {
      this._ask();
      this.deliver(key, value);
      return;
    }
    if (this._waiting.has(key)) {
      this._dropped += 1;
    }
    // Set anew, so that what came last is also drawn last.
    this._waiting.delete(key);
    this._waiting.set(key, value);
  }

  /** Forget what waits under a key. */
  drop(key: Key): void {
    this._waiting.delete(key);
  }

  clear(): void {
    this._waiting.clear();
  }

  dispose(): void {
    this._disposed = true;
    this.clear();
  }

  /** How many updates were overtaken by newer ones. */
  get dropped(): number {
    return this._dropped;
  }

  private _ask(): void {
    this._asked = true;
    this.nextFrame(() => this._draw());
  }

  private _draw(): void {
    this._asked = false;
    const due = [...this._waiting];
    this._waiting.clear();
    if (due.length > 0) {
      this._ask();
    }
    for (const [key, value] of due) {
      this.deliver(key, value);
    }
  }

  private _waiting = new Map<Key, Value>();
  private _asked = false;
  private _disposed = false;
  private _dropped = 0;
}
