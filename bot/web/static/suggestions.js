// The list of suggestions above the composer, and the one that is chosen.

import { byId, el } from './dom.js';

export class Suggestions {
  #list = byId('suggestions');
  #text = byId('text');
  #items = [];
  #chosen = 0;
  #take;

  /** take is called with the item that was clicked. */
  constructor(take) {
    this.#take = take;
  }

  /** chosen is the item that Tab would complete, if there is one. */
  get chosen() {
    return this.#items[this.#chosen]?.insert ? this.#items[this.#chosen] : undefined;
  }

  show(items = []) {
    this.#items = items;
    this.#list.hidden = items.length === 0;
    this.#list.replaceChildren(...items.map((item, i) => this.#row(item, i)));
    this.#choose(0);
  }

  move(by) {
    this.#choose((this.#chosen + by + this.#items.length) % this.#items.length);
  }

  #row(item, i) {
    return el('li', { id: `suggestion-${i}`, role: 'option', 'data-testid': 'suggestion', onpointerdown: (event) => this.#click(event, item) },
      el('span', { class: 'label' }, item.label), item.hint ? el('span', { class: 'hint' }, item.hint) : null, el('span', { class: 'help' }, item.help ?? ''));
  }

  // On pointerdown, and without its default, so that the composer keeps the focus.
  #click(event, item) {
    event.preventDefault();
    if (item.insert) this.#take(item);
  }

  #choose(i) {
    this.#chosen = i;
    Array.from(this.#list.children, (row, k) => row.setAttribute('aria-selected', String(k === i && Boolean(this.chosen))));
    const row = this.#list.children[i];
    if (row) this.#text.setAttribute('aria-activedescendant', row.id);
    else this.#text.removeAttribute('aria-activedescendant');
    row?.scrollIntoView({ block: 'nearest' });
  }
}
