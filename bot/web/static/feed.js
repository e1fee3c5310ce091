// The feed: messages in the order of their ids, each in its newest revision, however often and in whatever order they come.

import * as api from './api.js';
import { byId } from './dom.js';
import { MessageView } from './message.js';

const near = 80; // pixels from the bottom that still count as reading the newest
const early = 800; // pixels from the top at which older messages are asked for
const furthest = 20; // pages that are turned to find a message

export class Feed {
  #known = new Map(); // id -> the newest message seen, tombstones too
  #views = new Map(); // id -> MessageView
  #jobs = new Map(); // job -> MessageView
  #first = Infinity; // the oldest id asked for; older ones come with their page
  #more = false;
  #turning; // the page under way
  #stuck = true; // the newest message is to stay in sight
  #top = 0; // where the scrolling was
  #unread = 0;
  #box = byId('feed');
  #list = byId('messages');
  #host;

  /** host is what messages need of the page: see MessageView. */
  constructor(host) {
    this.#host = host;
    this.#box.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    byId('newer').addEventListener('click', () => { this.toBottom(); byId('text').focus(); });
    const sizes = new ResizeObserver(() => this.#settle());
    sizes.observe(this.#box);
    sizes.observe(byId('column'));
  }

  /** start shows the newest page in place of everything. */
  start(page) {
    this.#known.clear();
    this.#views.clear();
    this.#jobs.clear();
    this.#list.replaceChildren();
    this.#first = Infinity;
    this.#accept(page);
    this.toBottom();
  }

  /** apply takes a change from the stream and tells whether it was news: a message not seen before. */
  apply(message) {
    const before = this.#known.get(message.id);
    if (before && before.rev >= message.rev) return false;
    this.#known.set(message.id, message);
    const unseen = !before && !message.deleted && (message.id >= this.#first || !this.#more);
    this.#show(message);
    if (unseen && !this.#stuck) this.#count(this.#unread + 1);
    return unseen;
  }

  /** progress passes on how a job gets on, if its message is here. */
  progress(update) {
    this.#jobs.get(update.job)?.progress(update);
  }

  hasJob(job) { return this.#jobs.has(job); }
  hasMessage(id) { return this.#known.has(id); }

  /** reveal scrolls to a job's message, turning pages as far as it must, and tells whether it was found. */
  async reveal(job) {
    for (let turned = 0; !this.#jobs.has(job) && this.#more && turned < furthest; turned++) await this.#older();
    const view = this.#jobs.get(job);
    if (!view) return false;
    this.#stuck = false;
    view.point();
    return true;
  }

  toBottom() {
    this.#stuck = true;
    this.#settle();
    this.#count(0);
  }

  // A page of old messages is not read out: the log is busy until it stands.
  #accept(page) {
    this.#box.ariaBusy = 'true';
    for (const message of page.messages) {
      const known = this.#known.get(message.id);
      if (!known || known.rev < message.rev) this.#known.set(message.id, message);
    }
    this.#first = Math.min(this.#first, page.messages[0]?.id ?? this.#first);
    this.#more = page.more && page.messages.length > 0;
    for (const { id } of page.messages) this.#show(this.#known.get(id));
    this.#welcome();
    requestAnimationFrame(() => { this.#box.ariaBusy = 'false'; });
  }

  #show(message) {
    const view = this.#views.get(message.id);
    if (message.deleted) this.#remove(message.id);
    else if (view) view.update(message);
    else if (message.id >= this.#first || !this.#more) this.#insert(message);
    this.#welcome();
  }

  #insert(message) {
    const view = new MessageView(message, this.#host);
    this.#views.set(message.id, view);
    if (message.job) this.#jobs.set(message.job.job, view);
    let after = this.#list.lastElementChild;
    while (after && Number(after.dataset.id) > message.id) after = after.previousElementSibling;
    if (after) after.after(view.element);
    else this.#list.prepend(view.element);
    this.#join(view.element);
    this.#join(view.element.nextElementSibling);
  }

  #remove(id) {
    const view = this.#views.get(id);
    if (!view) return;
    const next = view.element.nextElementSibling;
    if (view.element.contains(document.activeElement)) byId('text').focus();
    view.element.remove();
    this.#views.delete(id);
    this.#jobs.delete(view.job);
    this.#join(next);
  }

  #join(element) {
    if (!element) return;
    const view = this.#views.get(Number(element.dataset.id));
    view.follow(this.#views.get(Number(element.previousElementSibling?.dataset.id)));
  }

  #older() {
    this.#turning ??= this.#turn().finally(() => { this.#turning = undefined; });
    return this.#turning;
  }

  // What is being read must stay where it is while a page grows above it. The browser's own anchoring does not work at the
  // very top, so it is switched off for the moment.
  async #turn() {
    byId('older').hidden = false;
    try {
      const page = await api.insist(() => api.messages(this.#first));
      const anchor = this.#list.firstElementChild;
      const bottom = anchor?.getBoundingClientRect().bottom; // its top may change: it may lose its day
      this.#box.style.overflowAnchor = 'none';
      this.#accept(page);
      if (anchor) this.#box.scrollTop += anchor.getBoundingClientRect().bottom - bottom;
      requestAnimationFrame(() => { this.#box.style.overflowAnchor = ''; });
    } finally {
      byId('older').hidden = true;
    }
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#box;
    if (scrollHeight - scrollTop - clientHeight < near) this.#stuck = true;
    else if (scrollTop < this.#top) this.#stuck = false; // only a person scrolls up; content that grows does not
    this.#top = scrollTop;
    if (this.#stuck) this.#count(0);
    if (scrollTop < early && this.#more) this.#older().catch(this.#host.fail);
  }

  #settle() {
    if (this.#stuck) this.#box.scrollTop = this.#box.scrollHeight;
  }

  #count(unread) {
    this.#unread = unread;
    byId('newer').hidden = unread === 0;
    byId('newer-count').textContent = unread === 1 ? '1 new message' : `${unread} new messages`;
  }

  #welcome() {
    byId('welcome').hidden = this.#views.size > 0 || this.#more;
  }
}
