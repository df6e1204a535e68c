import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ISignal, Signal } from '@lumino/signaling';

/** Settings of one plug-in, the defaults where there is no registry. */
export interface ILiveSettings<Values> {
  readonly value: Values;
  readonly changed: ISignal<unknown, Values>;
}

/**
 * Read a plug-in's settings, and follow them.
 *
 * A registry that cannot load them, or a value of another kind, costs only the wish: the default
 * stands in.
 */
export async function readSettings<Values extends object>(
  registry: ISettingRegistry | null,
  plugin: string,
  defaults: Values
): Promise<ILiveSettings<Values>> {
  const live = new Settings(defaults);
  if (registry) {
    try {
      const settings = await registry.load(plugin);
      const read = (): void =>
        live.update({ ...defaults, ...fitting(settings.composite, defaults) });
      settings.changed.connect(read);
      read();
    } catch (error) {
      console.warn(`The settings of ${plugin} could not be loaded.`, error);
    }
  }
  return live;
}

function fitting<Values extends object>(
  found: Record<string, unknown>,
  defaults: Values
): Partial<Values> {
  return Object.fromEntries(
    Object.entries(defaults)
      .filter(([name, value]) => typeof found[name] === typeof value)
      .map(([name]) => [name, found[name]])
  ) as Partial<Values>;
}

class Settings<Values> implements ILiveSettings<Values> {
  constructor(private _value: Values) {}

  get value(): Values {
    return this._value;
  }

  get changed(): ISignal<unknown, Values> {
    return this._changed;
  }

  update(value: Values): void {
    this._value = value;
    this._changed.emit(value);
  }

  private _changed = new Signal<this, Values>(this);
}
