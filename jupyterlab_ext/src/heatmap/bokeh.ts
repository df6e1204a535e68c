/** The drawing library, fetched when the first picture is drawn. */

/** A Bokeh model: what is used of it here. */
export interface IBokehModel {
  [property: string]: any;
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
    ): Promise<Iterable<{ remove(): void }> & { clear?(): void }>;
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
