// The details of a picture: names and values, each to be copied.

import { prepare } from './dialog.js';
import { announce, byId, el, icon } from './dom.js';

const shown = 1500; // milliseconds that a copy is confirmed

const dialog = prepare(byId('details-dialog'));

/** showDetails opens the dialog with {name, value} lines. */
export function showDetails(details) {
  byId('details-list').replaceChildren(...details.map(line));
  dialog.showModal();
}

function line({ name, value }) {
  const text = el('span', { class: 'value', dir: 'auto' }, value);
  const button = el('button', { class: 'quiet', type: 'button', 'aria-label': `Copy ${name}`, title: 'Copy', 'data-testid': 'copy' }, icon('copy'));
  button.addEventListener('click', () => copy(text, button));
  const long = value.length > 40;
  return el('div', { class: long ? 'long' : '', 'data-testid': 'detail', 'data-name': name }, el('dt', {}, name), el('dd', {}, text, button));
}

// Where the clipboard is out of reach (plain HTTP from another machine), the text is selected for the person to copy.
async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.classList.add('copied');
    announce('Copied');
    setTimeout(() => button.classList.remove('copied'), shown);
  } catch {
    getSelection().selectAllChildren(text);
    announce('Selected. Copy it with your keyboard.');
  }
}
