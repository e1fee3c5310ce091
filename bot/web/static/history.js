// One's own earlier lines, for the Up key on an empty field. They stay in this browser.

import { keep, recall } from './keep.js';

const kept = 'easel.history';
const most = 50;

export class History {
  #lines = recall('localStorage', kept, []);
  #at = 0; // how far back; 0 is the line being written

  add(line) {
    this.#lines = [...this.#lines.filter((other) => other !== line), line].slice(-most);
    this.#at = 0;
    keep('localStorage', kept, this.#lines);
  }

  /**
   * step goes one line back (1) or forth (-1) from the text in the field. It returns undefined where the key should do what
   * it always does: in a line that was written or changed by hand, and at the end.
   */
  step(by, text) {
    if (text !== this.#line(this.#at)) this.#at = 0;
    const at = this.#at + by;
    if (text !== this.#line(this.#at) || at < 0 || at > this.#lines.length) return undefined;
    this.#at = at;
    return this.#line(at);
  }

  #line(at) {
    return at === 0 ? '' : this.#lines[this.#lines.length - at];
  }
}
