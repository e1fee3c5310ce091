// Notices: what the server says to one person alone, beside the composer.

import { byId, el, icon } from './dom.js';

const most = 3; // notices at once

/** notify shows a sentence and returns its element. retryAfter, in seconds, adds a countdown. */
export function notify(text, { wrong = false, code = '', retryAfter = 0 } = {}) {
  const close = el('button', { class: 'quiet', type: 'button', 'aria-label': 'Dismiss', onclick: () => dismiss(box) }, icon('close'));
  const box = el('div', { class: wrong ? 'notice wrong' : 'notice', 'data-testid': 'notice', 'data-code': code },
    el('p', { dir: 'auto' }, text), retryAfter > 0 ? countdown(retryAfter) : null, close);
  byId('notices').append(box);
  while (byId('notices').children.length > most) byId('notices').firstElementChild.remove();
  return box;
}

/** refuse shows an error as a notice: the server's own words, or that the page itself has failed. */
export function refuse(error) {
  if (!error.code) console.error(error);
  const text = error.code ? error.message : 'This page has a problem. Reload it and try again.';
  notify(text, { wrong: true, code: error.code, retryAfter: error.retryAfter });
}

/** clearNotices removes all of them and tells whether there were any. */
export function clearNotices() {
  const any = byId('notices').hasChildNodes();
  byId('notices').replaceChildren();
  return any;
}

function dismiss(box) {
  box.remove();
  byId('text').focus();
}

// The countdown is not read out every second: the sentence beside it says the same once.
function countdown(seconds) {
  const end = performance.now() + seconds * 1000;
  const label = el('span', { class: 'countdown', 'aria-live': 'off', 'data-testid': 'countdown' });
  const tick = () => {
    const left = Math.ceil((end - performance.now()) / 1000);
    label.textContent = left > 0 ? clock(left) : 'You can try again now';
    label.classList.toggle('over', left <= 0);
    if (left <= 0) clearInterval(timer);
  };
  const timer = setInterval(tick, 250);
  tick();
  return label;
}

function clock(seconds) {
  if (seconds < 90) return `${seconds} s`;
  const two = (n) => String(n).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}
