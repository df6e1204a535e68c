(() => {
  const ID = "@ID@", VERSION = "@VERSION@", PICTURE = @PICTURE@, PACKED = "@LIBRARY@";
  const PATIENCE = 6000; // ms before the table stands in; a late library still draws
  const INK = ["axis_label_text_color", "major_label_text_color", "axis_line_color",
    "major_tick_line_color", "title_text_color", "bar_line_color"];
  const began = Date.now();

  const library = () => {
    const bokeh = window.Bokeh;
    if (!bokeh) return undefined;
    return bokeh.version === VERSION ? bokeh : bokeh[VERSION];
  };

  if (PACKED && !library()) {
    // One unpacking for all pictures of a page, however many carry the library.
    window.__attentionBokeh ??= (async () => {
      const bytes = Uint8Array.from(atob(PACKED), (sign) => sign.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      const text = await new Response(stream).text();
      const define = window.define; // RequireJS would take the library for one of its own
      window.define = undefined;
      try { (0, eval)(text); } finally { window.define = define; }
    })();
    window.__attentionBokeh.catch((error) => console.warn("Attention views:", error));
  }

  // Text and axes take the page's own colour, so they read on light and dark alike.
  const dress = (root, doc) => {
    const ink = getComputedStyle(root).color;
    for (const model of doc.all_models) {
      for (const name of INK) {
        if (name in model.properties) model.setv({ [name]: ink });
      }
      if (model.tags.includes("ink")) model.setv({ text_color: { value: ink } });
    }
  };

  const follow_theme = (root, doc) => {
    const again = () => setTimeout(() => root.isConnected && dress(root, doc), 250);
    new MutationObserver(again).observe(document.body, { attributes: true });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  };

  const draw = async (root) => {
    root.dataset.drawn = "yes";
    const places = [...root.querySelectorAll("[data-panel]")];
    for (const place of places) {
      place.previousElementSibling.textContent = place.dataset.heading;
      place.nextElementSibling.textContent = place.dataset.legend;
      place.parentElement.hidden = false;
    }
    const root_ids = PICTURE.roots.map((model) => model.id);
    const roots = Object.fromEntries(root_ids.map((id, i) => [id, places[i]]));
    const [views] = await library().embed.embed_items({ it: PICTURE }, [{ docid: "it", roots, root_ids }]);
    const doc = views.roots[0].model.document;
    dress(root, doc);
    root.querySelector("[data-missing]").hidden = true;
    follow_theme(root, doc);
  };

  const stand_in = (root) => {
    root.querySelector("[data-missing]").hidden = false;
    root.querySelector("details").open = true;
    for (const place of root.querySelectorAll("[data-panel]")) place.parentElement.hidden = true;
  };

  // Without scripts the notice shows and the table is open; now that they run, wait.
  const waiting = (root) => {
    root.dataset.waiting = "yes";
    root.querySelector("[data-missing]").hidden = true;
    root.querySelector("details").open = false;
    for (const place of root.querySelectorAll("[data-panel]")) place.parentElement.hidden = false;
  };

  // The output may be put into the page after its script ran, and more than once.
  const look = () => {
    const late = Date.now() - began > PATIENCE;
    for (const root of document.querySelectorAll(`[data-attention-view="${ID}"]`)) {
      if (root.dataset.drawn) continue;
      if (library()) {
        if (!root.dataset.waiting) waiting(root);
        draw(root).catch((error) => { stand_in(root); console.warn("Attention views:", error); });
      } else if (!root.dataset.waiting) waiting(root);
      else if (late && root.dataset.waiting === "yes") {
        root.dataset.waiting = "in vain";
        stand_in(root);
      }
    }
    const wait = Date.now() - began;
    if (wait < 600000) setTimeout(look, wait < 2 * PATIENCE ? 100 : 2000);
  };
  look();
})();
