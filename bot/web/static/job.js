// The body of a job's message: what was asked for, how it gets on, the pictures, and what can be done with them.

import { Buttons } from './buttons.js';
import { commandLine } from './command.js';
import { el, setText } from './dom.js';
import { Pictures } from './pictures.js';

const over = new Set(['done', 'refused', 'failed', 'cancelled']);
const waiting = new Set(['queued', 'running']); // states in which progress means something

/** remaining says about how long painting still takes, of seconds; 0 is unknown. */
function remaining(left) {
  if (left <= 0) return '';
  return left < 60 ? `about ${left} s left` : `about ${Math.round(left / 60)} min left`;
}

export class JobBody {
  #host;
  #job;
  #origin = el('a', { class: 'origin', 'data-testid': 'origin', onclick: (event) => this.#follow(event) });
  #command = el('div');
  #status = el('span', { 'data-testid': 'status' });
  #ahead = el('span', { class: 'ahead', 'aria-live': 'off', 'data-testid': 'ahead' });
  #bar = el('progress', { 'aria-label': 'Painting', 'aria-live': 'off', 'data-testid': 'progress' });
  #pictures;
  #buttons;

  constructor(host) {
    this.#host = host;
    this.#pictures = new Pictures((picture) => host.open(this.#job, picture));
    this.#buttons = new Buttons((button) => host.press(this.#job.job, button));
    this.element = el('div', { class: 'body' }, this.#origin, this.#command, this.#pictures.element,
      el('p', { class: 'status' }, this.#status, this.#ahead), this.#bar, this.#buttons.element);
  }

  update({ job }) {
    const before = this.#job;
    this.#job = job;
    if (!before) this.#command.replaceWith(commandLine(job));
    this.#showOrigin(job.origin);
    setText(this.#status, job.status);
    this.#bar.hidden = job.state !== 'running';
    if (job.state !== 'queued') setText(this.#ahead, '');
    if (job.pictures?.length) this.#pictures.show(job.pictures, job.large);
    if (over.has(job.state)) this.#pictures.settle();
    this.#buttons.show((job.buttons ?? []).filter((button) => !button.owner || this.#mine()));
  }

  /** progress draws what is told between two states; it is never kept. */
  progress({ ahead, calls = 0, total = 0, left = 0, previews = {} }) {
    if (!waiting.has(this.#job.state)) return;
    const painting = calls > 0 || this.#job.state === 'running';
    setText(this.#ahead, painting ? remaining(left) : this.#place(ahead));
    if (painting) setText(this.#status, 'Painting');
    this.#bar.hidden = !painting;
    if (total > 0) {
      this.#bar.max = total;
      this.#bar.value = calls;
      this.#bar.title = `${calls} of ${total}`;
    }
    this.#pictures.sketch(previews, this.#job.count);
  }

  #place(ahead) {
    if (ahead === undefined) return '';
    if (ahead === 0) return this.#mine() ? 'you are next' : 'next';
    return this.#mine() ? `${ahead} ahead of you` : `${ahead} ahead`;
  }

  #mine() { return this.#job.author.id === this.#host.me().id; }

  #showOrigin(origin) {
    this.#origin.hidden = !origin;
    if (!origin) return;
    this.#origin.href = `#job-${origin.job}`;
    setText(this.#origin, origin.text);
  }

  #follow(event) {
    event.preventDefault();
    this.#host.reveal(this.#job.origin);
  }
}
