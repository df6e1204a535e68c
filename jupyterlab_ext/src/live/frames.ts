/**
 * Lets the newest of many updates through once a frame. The last one always comes through.
 */
export class Frames<Key, Value> {
  /**
   * @param deliver - is called in a frame, once for each key that has changed.
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
    if (this._waiting.has(key)) {
      this._dropped += 1;
    }
    this._waiting.set(key, value);
    if (!this._asked) {
      this._asked = true;
      this.nextFrame(() => this._draw());
    }
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

  private _draw(): void {
    this._asked = false;
    const due = [...this._waiting];
    this._waiting.clear();
    for (const [key, value] of due) {
      this.deliver(key, value);
    }
  }

  private _waiting = new Map<Key, Value>();
  private _asked = false;
  private _disposed = false;
  private _dropped = 0;
}
