// The body of a case: what waits for a moderator and why, and the buttons to decide it. Nobody has to look at held pictures,
// so they are not even loaded until they are asked for. Once it is decided, only what it was and how it was decided stays.

import { sealedURL } from './api.js';
import { Buttons } from './buttons.js';
import { announce, el, setText } from './dom.js';
import { Pictures } from './pictures.js';

export class CaseBody {
  #host;
  #case;
  #shown = false; // the held pictures
  #title = el('strong');
  #author = el('bdi');
  #asked = el('div', { class: 'asked' });
  #pictures = new Pictures(undefined, sealedURL);
  #status = el('p', { class: 'status', 'data-testid': 'status' });
  #buttons;

  constructor(host) {
    this.#host = host;
    this.#buttons = new Buttons((button) => this.#press(button));
    this.element = el('div', { class: 'body' }, el('p', { class: 'title' }, this.#title, ', asked for by ', this.#author), this.#asked,
      this.#pictures.element, this.#status, this.#buttons.element, el('p', { class: 'muted' }, 'Only you can see this'));
  }

  update({ case: now }) {
    const first = !this.#case;
    this.#case = now;
    setText(this.#title, now.title);
    setText(this.#author, now.author.name);
    setText(this.#status, now.status);
    if (first) this.#asked.append(...asked(now));
    if (now.decided) this.#close();
    else this.#draw();
  }

  #close() {
    const focused = this.element.contains(document.activeElement);
    this.#hide();
    this.#asked.remove();
    if (focused) this.element.closest('article').focus({ preventScroll: true }); // its button is gone
  }

  #hide() {
    this.#shown = false;
    this.#pictures.clear();
    this.#draw();
  }

  #draw() {
    const hide = { label: 'Hide pictures', help: 'Take them out of sight again' };
    this.#buttons.show((this.#case.buttons ?? []).map((button) => (this.#shown && button.action === 'reveal' ? { ...button, ...hide } : button)));
  }

  async #press(button) {
    if (button.action === 'reveal' && this.#shown) return this.#hide();
    const { sealed } = await this.#host.press(this.#case.case, button) ?? {};
    if (sealed && !this.#case.decided) this.#show(sealed);
  }

  #show(sealed) {
    this.#shown = true;
    this.#pictures.show(sealed);
    this.#draw();
    announce(sealed.length === 1 ? '1 held picture is shown above the buttons' : `${sealed.length} held pictures are shown above the buttons`);
  }
}

function asked({ prompt, negative, reasons }) {
  return [
    el('p', { class: 'prompt', dir: 'auto', 'data-testid': 'prompt' }, prompt),
    negative && el('p', { class: 'prompt negative', dir: 'auto', 'data-testid': 'negative' }, el('span', { class: 'muted' }, 'Negative: '), negative),
    el('ul', { class: 'reasons', 'aria-label': 'Why it waits', 'data-testid': 'reasons' }, ...reasons.map((reason) => el('li', { dir: 'auto' }, reason))),
  ].filter(Boolean);
}
