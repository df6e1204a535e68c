import type { TranslationBundle } from '@jupyterlab/translation';

/** Said where the kernel's course and this extension do not speak the same version. */
export function otherVersionWords(trans: TranslationBundle): string {
  return trans.__(
    'This notebook’s attention_course speaks another version than this panel. Install both anew (make setup), then reload the page; the lesson itself works without the panel.'
  );
}
