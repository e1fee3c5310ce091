// One message: who, when, and a body by kind. It is drawn once and then only changed where it differs, so that focus,
// pictures and what a screen reader has said stay as they are.

import { CaseBody } from './case.js';
import { avatar, el, setText } from './dom.js';
import { JobBody } from './job.js';

const easel = { id: 'easel', name: 'Easel' }; // who speaks where nobody else does
const together = 5 * 60_000; // milliseconds within which chat lines of one person stand under one name

/**
 * MessageView draws a message. host is the page around it: me() is the person, press(job, button) sends an action and
 * resolves to its answer (undefined if it was refused), open(job, picture) shows a picture large, reveal(origin) goes to another message.
 */
export class MessageView {
  #body;
  #message;

  constructor(message, host) {
    const author = message.author?.id ? message.author : easel;
    this.#body = bodyOf(message, host);
    this.element = el('article', {
      class: `message ${message.kind}`, tabindex: '-1', 'data-testid': 'message', 'data-id': message.id, 'data-kind': message.kind,
    }, avatar(author), heading(author, message.at), this.#body.element);
    if (message.job) this.element.id = `job-${message.job.job}`;
    if (message.case) Object.assign(this.element.dataset, { testid: 'case', case: message.case.case });
    this.update(message);
  }

  get job() { return this.#message.job?.job; }

  update(message) {
    this.#message = message;
    if (message.job) {
      this.element.dataset.job = message.job.job;
      this.element.dataset.state = message.job.state;
    }
    this.#body.update(message);
  }

  progress(update) {
    this.#body.progress?.(update);
  }

  /** follow draws the message as one that stands under another, or under none. */
  follow(before) {
    const [own, other] = [this.#message, before?.#message];
    const newDay = day(own.at) !== (other ? day(other.at) : '');
    const joined = !newDay && own.kind === 'chat' && other.kind === 'chat' && own.author.id === other.author.id &&
      own.author.name === other.author.name && new Date(own.at) - new Date(other.at) < together;
    this.element.classList.toggle('joined', joined);
    if (newDay) this.element.dataset.day = day(own.at);
    else delete this.element.dataset.day;
  }

  /** point scrolls to the message and marks it for a moment. */
  point() {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.element.scrollIntoView({ block: 'center', behavior: calm ? 'auto' : 'smooth' });
    this.element.focus({ preventScroll: true });
    this.element.classList.add('pointed');
    setTimeout(() => this.element.classList.remove('pointed'), 2000);
  }
}

function bodyOf(message, host) {
  if (message.job) return new JobBody(host);
  return message.case ? new CaseBody(host) : new TextBody(message.kind);
}

class TextBody {
  #text = el('p', { class: 'text', dir: 'auto' });

  constructor(kind) {
    this.element = el('div', { class: 'body' }, this.#text, kind === 'notice' ? el('p', { class: 'muted' }, 'Only you can see this') : null);
  }

  update({ text = '' }) {
    setText(this.#text, text);
  }
}

function heading({ name }, at) {
  const date = new Date(at);
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return el('header', {}, el('span', { class: 'who', dir: 'auto' }, name), el('time', { datetime: at, title: date.toLocaleString() }, time));
}

function day(at) {
  const date = new Date(at);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return date.toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
}
