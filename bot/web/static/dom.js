// Making elements. Text goes in as text nodes only: nothing people write is ever read as markup.

/** el makes an element. Properties named on… are listeners; false and undefined ones are left out. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

export const byId = (id) => document.getElementById(id);

/** icon is one of the page's symbols. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** setText leaves equal text alone, so that screen readers hear only what changed. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** announce says something to screen readers alone. */
export function announce(text) {
  byId('announce').textContent = text;
}

/** avatar is a disc in a colour of the person's own, with the first letters of their name. */
export function avatar({ id = '', name = '' }) {
  const letters = name.split(/\s+/).filter(Boolean).slice(0, 2).map((word) => [...word][0]).join('');
  const disc = el('span', { class: 'avatar', 'aria-hidden': 'true' }, letters.toLocaleUpperCase());
  disc.style.setProperty('--hue', hue(id));
  return disc;
}

function hue(id) {
  let sum = 7;
  for (const char of id) sum = (sum * 31 + char.codePointAt(0)) % 3600;
  return sum / 10;
}
