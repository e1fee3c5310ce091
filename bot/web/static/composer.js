// The composer: one field for talk and commands.

import { byId } from './dom.js';
import { History } from './history.js';
import { keep, recall } from './keep.js';
import { clearNotices } from './notice.js';
import { suggest } from './suggest.js';
import { Suggestions } from './suggestions.js';

const draft = 'easel.draft';

export class Composer {
  #text = byId('text');
  #history = new History();
  #suggestions = new Suggestions((item) => this.#complete(item));
  #from = 0; // where the suggestion goes
  #words = { commands: [], options: [] };
  #send;

  /** send is called with a line that was entered. */
  constructor(send) {
    this.#send = send;
    this.#text.addEventListener('input', () => this.#changed());
    this.#text.addEventListener('keydown', (event) => this.#key(event));
    this.#text.addEventListener('blur', () => this.#suggestions.show());
    byId('composer').addEventListener('submit', (event) => { event.preventDefault(); this.#submit(); });
    this.#write(recall('sessionStorage', draft, ''));
  }

  /** learn takes the commands and options of the session. */
  learn({ commands, options }) {
    this.#words = { commands, options };
    const { name, example } = commands.find((command) => command.example) ?? {};
    this.#text.placeholder = name ? `/${name} ${example}` : 'Write a message';
  }

  /** restore puts a line back that was refused, unless another is being written. */
  restore(line) {
    if (this.#text.value === '') this.#write(line);
  }

  /** put writes a line into the field for the person to send or change. */
  put(line) {
    this.#write(line);
    this.#text.focus();
  }

  #key(event) {
    if (event.isComposing) return;
    const act = this.#keys[event.key];
    if (act?.(event)) event.preventDefault();
  }

  // What a key does here; each tells whether that was all it should do.
  #keys = {
    Enter: (event) => !event.shiftKey && (this.#completes() || this.#submit()),
    Tab: (event) => !event.shiftKey && this.#complete(this.#suggestions.chosen),
    ArrowUp: () => this.#arrow(1),
    ArrowDown: () => this.#arrow(-1),
    Escape: () => this.#escape(),
  };

  // Enter completes what is not written out yet, or what wants a value; otherwise it sends.
  #completes() {
    const item = this.#suggestions.chosen;
    const whole = item && this.#text.value.slice(this.#from).trim() === item.insert;
    return item && !(whole && !item.takes) && this.#complete(item);
  }

  #complete(item) {
    if (!item) return false;
    const { value, selectionStart } = this.#text;
    const rest = value.slice(selectionStart).replace(/^\s/, '');
    const start = `${value.slice(0, this.#from)}${item.insert} `;
    this.#write(start + rest, start.length);
    this.#offer();
    return true;
  }

  #arrow(by) {
    if (this.#suggestions.chosen) {
      this.#suggestions.move(-by);
      return true;
    }
    const line = this.#history.step(by, this.#text.value);
    if (line === undefined) return false;
    this.#write(line);
    return true;
  }

  #escape() {
    if (!this.#suggestions.chosen) return clearNotices();
    this.#suggestions.show();
    return true;
  }

  #submit() {
    const line = this.#text.value.trim();
    if (line) {
      this.#history.add(line);
      this.#write('');
      clearNotices();
      this.#send(line);
    }
    this.#suggestions.show();
    return true;
  }

  #write(value, caret = value.length) {
    this.#text.value = value;
    this.#text.setSelectionRange(caret, caret);
    this.#fit();
  }

  #changed() {
    this.#fit();
    this.#offer();
  }

  #fit() {
    keep('sessionStorage', draft, this.#text.value);
    this.#text.style.height = 'auto';
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }

  #offer() {
    const found = suggest(this.#text.value.slice(0, this.#text.selectionStart), this.#words);
    this.#from = found?.from ?? 0;
    this.#suggestions.show(found?.items);
  }
}
