/** The drawing library, fetched when the first picture is drawn. */

/** A Bokeh model: what is used of it here. */
export interface IBokehModel {
  [property: string]: any;
}

/** A view of a model that is on the page. */
export interface IView {
  readonly model: IBokehModel;
  remove(): void;
}

/** The view of a plot: what is used of it here to paint at once. */
export interface IPlotView extends IView {
  /** Views of its parts; `ready` is when one has taken in what was changed. */
  readonly renderer_views: ReadonlyMap<
    unknown,
    { readonly ready: Promise<void> }
  >;
  /** Until `unpause` no change asks for a frame. */
  pause(): void;
  unpause(noRender: boolean): void;
  /** Paint now, after a layout where one is needed. */
  repaint(): void;
}

export interface IBokeh {
  readonly Models: Record<
    string,
    new (properties?: Record<string, unknown>) => IBokehModel
  >;
  readonly embed: {
    add_document_standalone(
      document: unknown,
      element: HTMLElement
    ): Promise<Iterable<IView>>;
  };
  readonly require: (module: string) => any;
  readonly set_log_level: (level: string) => void;
}

let library: Promise<IBokeh> | null = null;

export function loadBokeh(): Promise<IBokeh> {
  library ??= import(
    /* webpackChunkName: "bokeh" */
    // Deep imports of single modules compile, and fail on the page; this bundle works.
    '@bokeh/bokehjs/build/js/bokeh.esm.min.js'
  ).then(
    module => {
      const bokeh = module.default as IBokeh;
      bokeh.set_log_level('warn');
      return bokeh;
    },
    error => {
      library = null; // a server that was away for a moment: try again next time
      throw error;
    }
  );
  return library;
}
