// A job's pictures: sketches while they are painted, then the pictures in the same places, so that nothing jumps.

import { pictureURL } from './api.js';
import { el, icon } from './dom.js';

const retries = 4; // a picture is asked for again this often, as the server may be starting
const retryAfter = 2000; // milliseconds

export class Pictures {
  #address;
  #drawn = '';
  #open;
  #sketches = new Map(); // index -> img

  /** open is called with the picture that was clicked; without it they are only looked at. address tells where a picture is. */
  constructor(open, address = pictureURL) {
    this.#open = open;
    this.#address = address;
    this.element = el('div', { class: 'pictures', 'aria-live': 'off', hidden: true });
  }

  /** sketch draws coarse previews, index -> data URL, in the places of as many pictures as there will be. */
  sketch(previews, count = 1) {
    for (const [index, url] of Object.entries(previews)) this.#sketch(Number(index), url, count);
  }

  /** settle ends the sketching: a job that ends without pictures leaves none of its sketches. */
  settle() {
    if (!this.#drawn) this.#lay([]);
    this.#sketches.clear();
  }

  show(pictures, large) {
    const drawing = JSON.stringify([pictures, large]);
    if (drawing === this.#drawn) return;
    this.#drawn = drawing;
    this.#lay(pictures.map((picture) => this.#cell(picture, pictures.length > 1)), large);
    this.#sketches.clear();
  }

  /** clear takes the pictures away. */
  clear() {
    this.#drawn = '';
    this.#lay([]);
  }

  #lay(cells, large) {
    this.element.hidden = cells.length === 0;
    this.element.classList.toggle('large', Boolean(large));
    this.element.dataset.columns = columns(cells.length);
    this.element.replaceChildren(...cells);
  }

  #sketch(index, url, count) {
    if (this.#drawn) return;
    if (!this.#sketches.has(index)) this.#addSketch(index, count);
    this.#sketches.get(index).src = url;
  }

  #addSketch(index, count) {
    const img = el('img', { class: 'sketch', alt: '', 'data-testid': 'sketch', 'data-index': index });
    img.addEventListener('load', () => { img.parentElement?.style.setProperty('--ratio', img.naturalWidth / img.naturalHeight); });
    this.#sketches.set(index, img);
    const cells = Math.max(count, ...[...this.#sketches.keys()].map((i) => i + 1));
    this.#lay(Array.from({ length: cells }, (_, i) => el('div', { class: 'cell' }, this.#sketches.get(i))));
  }

  #cell(picture, numbered) {
    const number = numbered ? el('span', { class: 'number', 'aria-hidden': 'true' }, String(picture.index + 1)) : null;
    const cell = picture.veiled ? veil(picture, number) : this.#picture(picture, number);
    cell.style.setProperty('--ratio', picture.width / picture.height || 1);
    return cell;
  }

  #picture(picture, number) {
    const img = el('img', {
      src: this.#address(picture), alt: picture.alt, width: picture.width, height: picture.height, decoding: 'async',
      'data-testid': 'picture', 'data-job': picture.job, 'data-index': picture.index, 'data-seed': picture.seed,
    });
    const sketch = this.#sketches.get(picture.index);
    img.addEventListener('load', () => sketch?.remove(), { once: true });
    persist(img);
    if (!this.#open) return el('div', { class: 'cell' }, img, number);
    return el('button', { class: 'cell', type: 'button', onclick: () => this.#open(picture) }, sketch, img, number);
  }
}

function columns(cells) {
  if (cells <= 1) return 1;
  return cells <= 4 ? 2 : Math.min(4, Math.ceil(Math.sqrt(cells)));
}

function veil(picture, number) {
  const text = picture.alt || `Picture ${picture.index + 1} is withheld by moderation`;
  return el('div', { class: 'cell veil', role: 'img', 'aria-label': text, 'data-testid': 'veil', 'data-index': picture.index },
    el('span', { 'aria-hidden': 'true' }, icon('veil'), el('br'), text), number);
}

function persist(img) {
  let left = retries;
  img.addEventListener('error', () => {
    if (left-- > 0) setTimeout(() => { img.src = img.getAttribute('src'); }, retryAfter);
  });
}
