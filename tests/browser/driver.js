// What the tests ask of the page: a notebook by its path, cells by their ids. Runs in every page
// before anything else; window.jupyterapp is there because the server is told to expose it.
window.course = {
  // Every canvas below an element that can be seen, those in shadow roots included.
  canvases(root, found = []) {
    for (const one of root?.querySelectorAll('*') ?? []) {
      if (one.tagName === 'CANVAS' && one.width > 1 && one.height > 1 && one.checkVisibility()) found.push(one);
      if (one.shadowRoot) course.canvases(one.shadowRoot, found);
    }
    return found;
  },
  // One number for all that the canvases below an element show; 0 where nothing is painted.
  painted(root) {
    course.small ??= new OffscreenCanvas(24, 24).getContext('2d', { willReadFrequently: true });
    let total = 0;
    for (const canvas of course.canvases(root)) {
      course.small.clearRect(0, 0, 24, 24);
      course.small.drawImage(canvas, 0, 0, 24, 24);
      for (const value of course.small.getImageData(0, 0, 24, 24).data) total = (total * 31 + value) >>> 0;
    }
    return total;
  },
  panel(path) {
    const panels = [...jupyterapp.shell.widgets('main')].filter(one => one.context?.path && one.content?.model?.cells);
    const found = path ? panels.find(one => one.context.path === path) : jupyterapp.shell.currentWidget;
    return found?.content?.model?.cells ? found : undefined;
  },
  async until(condition, what) {
    for (let tries = 0; tries < 1200; tries++) {
      const value = condition();
      if (value) return value;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    throw new Error(`waited a minute for ${what}`);
  },
  async ready(path) {
    await jupyterapp.restored;
    const panel = await course.until(() => course.panel(path), `the notebook ${path}`);
    await panel.context.ready;
    await panel.sessionContext.ready;
    const kernel = await course.until(() => panel.sessionContext.session?.kernel, 'a kernel');
    await kernel.info;
    await panel.revealed;
  },
  kernel(path) {
    return course.panel(path).sessionContext.session.kernel;
  },
  cell(id, path) {
    const panel = course.panel(path);
    const index = panel.content.widgets.findIndex(one => one.model.id === id);
    if (index < 0) throw new Error(`no cell ${id}`);
    return { panel, index, cell: panel.content.widgets[index] };
  },
  lookAt(id, path) {
    const { panel, index } = course.cell(id, path);
    jupyterapp.shell.activateById(panel.id);
    panel.content.deselectAll();
    panel.content.activeCellIndex = index;
  },
  write(id, source, path) {
    course.cell(id, path).cell.model.sharedModel.setSource(source);
  },
  async run(id, path) {
    course.lookAt(id, path);
    await jupyterapp.commands.execute('notebook:run-cell');
  },
  outputs(id, path) {
    return course.cell(id, path).cell.model.outputs.toJSON();
  },

  // --- the panels ---
  paintedNow() {
    return course.painted(document.querySelector('#jp-attention-heatmap'));
  },
  // The exercise whose picture has been drawn.
  shown() {
    return document.querySelector('#jp-attention-heatmap [data-exercise]')?.dataset.exercise;
  },
  outcome(exercise) {
    return document.querySelector(`#jp-attention-progress [data-exercise="${exercise}"]`)?.dataset.outcome;
  },
  hintsFor() {
    return document.querySelector('#jp-attention-hints [data-exercise]')?.dataset.exercise;
  },
  tiersOpen() {
    return document.querySelectorAll('#jp-attention-hints [data-tier][data-open="true"]').length;
  },
  hintsText() {
    return document.querySelector('#jp-attention-hints')?.innerText ?? '';
  },
};
