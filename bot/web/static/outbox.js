// Lines on their way to the server. Each is written down with its key before it is sent, and sent one after another until
// it is answered; so neither a reload nor a restart of the server loses or doubles one.

import * as api from './api.js';
import { avatar, byId, el } from './dom.js';
import { typedLine } from './command.js';
import { keep, recall } from './keep.js';

const kept = 'easel.pending';
const longest = 30_000; // milliseconds that an answered line waits for its message

export class Outbox {
  #lines = recall('sessionStorage', kept, []); // {key, text} and, once shown or answered, {element, job, message}
  #busy = true; // until resume
  #host;

  /**
   * host is the page: me() is the person, has({job, message}) tells whether a message has come, notice(text) and
   * refused(error, text) tell what became of a line that leads to none.
   */
  constructor(host) {
    this.#host = host;
  }

  /** resume begins to deliver: what an earlier load of the page left unanswered, and what was sent since. */
  resume() {
    for (const line of this.#lines) this.#draw(line);
    this.#busy = false;
    this.#run();
  }

  /** send takes a line. Before resume it waits, and is shown without a name as the page has none yet. */
  send(text) {
    const line = { key: api.newKey(), text };
    this.#lines.push(line);
    this.#keep();
    this.#draw(line);
    this.#run();
  }

  /** arrived takes away the lines whose message is there; news is a message that just came. */
  arrived(news) {
    for (const line of [...this.#lines]) {
      if ((line.job || line.message) && this.#host.has(line)) this.#drop(line);
    }
    if (news) this.#guess(news);
  }

  // The message may be faster than the answer to the line that made it. The line then hides until the answer comes.
  #guess({ author, job, text }) {
    const line = this.#lines[0];
    if (line && author?.id === this.#host.me().id && line.text.includes(job?.prompt || text)) line.element.hidden = true;
  }

  #draw(line) {
    const me = this.#host.me();
    line.element?.remove();
    line.status = el('p', { class: 'status' }, 'Sending…');
    line.element = el('article', { class: 'message pending', 'data-testid': 'pending', 'data-key': line.key },
      avatar(me), el('header', {}, el('span', { class: 'who', dir: 'auto' }, me.name)), el('div', { class: 'body' }, typedLine(line.text), line.status));
    byId('pending').append(line.element);
  }

  async #run() {
    if (this.#busy) return;
    this.#busy = true;
    for (let line; (line = this.#lines.find(({ answered }) => !answered)); ) await this.#deliver(line);
    this.#busy = false;
  }

  async #deliver(line) {
    try {
      const wait = () => { line.status.textContent = 'Waiting for the server…'; };
      const answer = await api.insist(() => api.command(line.key, line.text), wait);
      this.#answered(line, answer);
    } catch (error) {
      this.#drop(line);
      this.#host.refused(error, line.text);
    }
  }

  #answered(line, { job, message, notice }) {
    Object.assign(line, { answered: true, job, message });
    this.#keep();
    if (notice) this.#host.notice(notice);
    if (!job && !message) return this.#drop(line);
    line.status.textContent = 'Sent';
    setTimeout(() => this.#drop(line), longest);
    this.arrived();
  }

  #drop(line) {
    this.#lines = this.#lines.filter((other) => other !== line);
    line.element.remove();
    this.#keep();
  }

  #keep() {
    const open = this.#lines.filter(({ answered }) => !answered).map(({ key, text }) => ({ key, text }));
    keep('sessionStorage', kept, open);
  }
}
