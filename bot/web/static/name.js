// One's own name, and the dialog that changes it.

import * as api from './api.js';
import { prepare } from './dialog.js';
import { avatar, byId, el } from './dom.js';

const dialog = prepare(byId('name-dialog'));

/** showName draws the button with one's own name. */
export function showName(me) {
  byId('me').replaceChildren(avatar(me), el('span', { class: 'who', dir: 'auto' }, me.name));
  byId('me').setAttribute('aria-label', `${me.name}: change your name`);
}

/** nameDialog opens on a click on one's name; changed is called with the new session. */
export function nameDialog(me, changed) {
  byId('me').addEventListener('click', () => {
    byId('name-input').value = me().name;
    byId('name-error').textContent = '';
    dialog.showModal();
    byId('name-input').select();
  });
  dialog.querySelector('form').addEventListener('submit', (event) => {
    event.preventDefault();
    save(changed);
  });
}

async function save(changed) {
  try {
    changed(await api.rename(byId('name-input').value));
    dialog.close();
  } catch (error) {
    byId('name-error').textContent = error.message;
  }
}
