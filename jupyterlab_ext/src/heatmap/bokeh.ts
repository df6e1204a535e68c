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

/** A rectangle in pixels. */
export interface IBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The view of a plot: where it has put its parts. */
export interface IPlotView extends IView {
  /** The matrix without axes. */
  readonly frame: { readonly bbox: IBox };
  readonly canvas_view: {
    readonly bbox: IBox;
    /** Dots of the screen in a pixel. */
    readonly pixel_ratio: number;
    /** Holds what lies below the plot's own canvas. */
    readonly underlays_el: HTMLElement;
  };
  /** Tells when the plot has painted, as after a layout or a closer look. */
  readonly repainted: { connect(slot: () => void): void; emit(): void };
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
