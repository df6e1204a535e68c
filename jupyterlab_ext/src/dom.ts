/** Small pieces of a page. Text goes in as text only, never as HTML. */

type Attributes = Record<string, string | boolean>;

/** An element with attributes and children; strings become text. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) {
      made.setAttribute(key, '');
    } else if (value !== false) {
      made.setAttribute(key, value);
    }
  }
  made.append(...children);
  return made;
}

/** Give an element other words; the same ones would cost a layout, and be read out anew. */
export function say(node: HTMLElement, text: string): void {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

/** A button in JupyterLab's own look. */
export function button(
  label: string,
  onClick: () => void,
  attributes: Attributes = {}
): HTMLButtonElement {
  const made = element(
    'button',
    { type: 'button', class: 'jp-attention-button', ...attributes },
    label
  );
  made.addEventListener('click', onClick);
  return made;
}

/** A sentence with `code` in backticks, as text and code elements. */
export function sentence(text: string): DocumentFragment {
  const made = document.createDocumentFragment();
  text.split(/`([^`]+)`/).forEach((part, i) => {
    made.append(i % 2 === 1 ? element('code', {}, part) : part);
  });
  return made;
}
