// The buttons under the message of a job or a case. What they are called and do is the server's business; here they are laid out, kept
// from being pressed twice, and Delete asks before it deletes.

import { announce, el } from './dom.js';

const hasty = 600; // milliseconds until a second press on Delete counts: a double click is no answer
const sure = 4000; // milliseconds until it counts no more
const grave = new Set(['delete', 'cancel', 'reject']); // actions that end something
const perPicture = new Set(['upscale', 'vary']); // actions that stand in rows of their own

export class Buttons {
  #drawn = '';
  #press;

  /** press sends a button's action and resolves when it is answered. */
  constructor(press) {
    this.#press = press;
    this.element = el('div', { class: 'actions', 'aria-live': 'off' });
  }

  show(buttons) {
    const drawing = JSON.stringify(buttons);
    if (drawing === this.#drawn) return;
    this.#drawn = drawing;
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset : undefined;
    const rows = Map.groupBy(buttons, ({ action }) => (perPicture.has(action) ? action : ''));
    this.element.replaceChildren(...[...rows].map(([action, row]) => this.#row(action, row)));
    if (focused) this.#find(focused)?.focus();
  }

  #row(action, buttons) {
    return el('div', { class: action ? 'row joined' : 'row' }, ...buttons.map((button) => this.#button(button)));
  }

  #button(button) {
    const spoken = button.help && button.help !== button.label ? button.help : undefined;
    const node = el('button', {
      class: grave.has(button.action) ? 'button danger' : 'button', type: 'button', title: spoken,
      'aria-label': spoken && `${button.label}: ${spoken}`, 'data-testid': 'action', 'data-action': button.action, 'data-index': button.index,
    }, button.label);
    node.addEventListener('click', () => {
      if (node.getAttribute('aria-busy') === 'true') return;
      if (button.action !== 'delete' || node.dataset.asked) this.#send(node, button);
      else if (!node.dataset.asking) this.#ask(node, button);
    });
    node.addEventListener('keydown', (event) => event.repeat && event.preventDefault()); // a key held down is one press
    return node;
  }

  // data-asking while the question stands, data-asked while a press is the answer.
  #ask(node, button) {
    const spoken = node.getAttribute('aria-label');
    node.dataset.asking = 'true';
    node.textContent = 'Press again to delete';
    node.removeAttribute('aria-label');
    announce('Press again within 4 seconds to delete');
    setTimeout(() => { node.dataset.asked = 'true'; }, hasty);
    setTimeout(() => {
      delete node.dataset.asking;
      delete node.dataset.asked;
      node.textContent = button.label;
      if (spoken) node.setAttribute('aria-label', spoken);
    }, sure);
  }

  // aria-busy and not disabled: a disabled button would lose the focus.
  async #send(node, button) {
    node.setAttribute('aria-busy', 'true');
    try {
      await this.#press(button);
    } finally {
      node.removeAttribute('aria-busy');
    }
  }

  #find({ action, index }) {
    return this.element.querySelector(`[data-action="${CSS.escape(action)}"][data-index="${CSS.escape(index)}"]`);
  }
}
