// In the page: when do the pixels of a picture change? Added to the tests' driver.js.
//
// After each frame every canvas of the watched element, those in shadow roots included, is drawn
// small and hashed; the first frame whose hash differs ends the sample. "After" is a task queued
// in the frame: what was painted in the frame itself counts in it, as what was painted before.
window.bench = (() => {
  const hash = element => course.painted(element);

  // The clock of Python's time.time(), in milliseconds with fractions.
  const clock = () => performance.timeOrigin + performance.now();
  const after = new MessageChannel();
  const frame = () => new Promise(resolve => {
    after.port1.onmessage = resolve;
    requestAnimationFrame(() => after.port2.postMessage(0));
  });

  const still = async element => {
    let last = hash(element);
    for (let frames = 0; frames < 12; frames++) {
      await frame();
      const now = hash(element);
      if (now !== last) { last = now; frames = 0; }
    }
    return last;
  };

  const execute = (path, code) => {
    const kernel = course.panel(path).sessionContext.session.kernel;
    const future = kernel.requestExecute({ code, store_history: false, allow_stdin: false });
    let text = '';
    future.onIOPub = message => {
      if (message.header.msg_type === 'stream') text += message.content.text;
      if (message.header.msg_type === 'error') text += `ERROR ${message.content.ename}: ${message.content.evalue}`;
    };
    return future.done.then(() => text);
  };

  return {
    execute,
    canvases: selector => course.canvases(document.querySelector(selector)).length,
    // One update: milliseconds from the kernel's clock before the call to the first changed frame.
    async sample(path, selector, code) {
      const element = document.querySelector(selector);
      const before = await still(element);
      const timed = `import time\n_sent = time.time()\n${code}\nprint(_sent)`;
      const done = execute(path, timed);
      const started = performance.now();
      let changed = 0;
      while (!changed) {
        await frame();
        if (hash(element) !== before) changed = clock();
        if (performance.now() - started > 20000) return { error: `nothing changed in 20 s: ${await done}` };
      }
      const said = await done;
      const sent = parseFloat(said);
      if (!(sent > 0)) return { error: said };
      return { milliseconds: changed - sent * 1000 };
    },
  };
})();
