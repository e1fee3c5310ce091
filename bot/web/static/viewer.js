// A picture seen large, and its neighbours by the arrow keys.

import { pictureURL } from './api.js';
import { prepare } from './dialog.js';
import { byId } from './dom.js';

const dialog = prepare(byId('viewer'));
let pictures = [];
let at = 0;

/** view opens one of a job's pictures; those that are veiled are passed over. */
export function view(job, picture) {
  pictures = job.pictures.filter(({ veiled }) => !veiled);
  at = Math.max(0, pictures.findIndex(({ index }) => index === picture.index));
  byId('viewer-prompt').textContent = job.prompt;
  draw();
  dialog.showModal();
}

function draw() {
  const picture = pictures[at];
  const img = byId('viewer-picture');
  Object.assign(img, { src: pictureURL(picture), alt: picture.alt, width: picture.width, height: picture.height });
  img.style.setProperty('--ratio', picture.width / picture.height || 1);
  const place = pictures.length > 1 ? `Picture ${at + 1} of ${pictures.length}, ` : '';
  byId('viewer-facts').textContent = `${place}${picture.width} × ${picture.height}, seed ${picture.seed}`;
  byId('viewer-save').href = `${pictureURL(picture)}?download=1`;
  dialog.querySelector('nav').hidden = pictures.length < 2;
}

function turn(by) {
  at = (at + by + pictures.length) % pictures.length;
  draw();
}

byId('viewer-back').addEventListener('click', () => turn(-1));
byId('viewer-on').addEventListener('click', () => turn(1));
dialog.addEventListener('keydown', ({ key }) => {
  if (key === 'ArrowLeft') turn(-1);
  if (key === 'ArrowRight') turn(1);
});
