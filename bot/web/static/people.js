// Who has the page open now: a column beside the feed where there is room, a list under a button where there is not.

import { avatar, byId, el } from './dom.js';

/** showPeople draws the list; myself marks the person's own line. */
export function showPeople(people, myself) {
  byId('here-count').textContent = String(people.length);
  byId('here').setAttribute('aria-label', `${people.length} here now`);
  byId('people-title').textContent = `Here now: ${people.length}`;
  byId('people-list').replaceChildren(...people.map((person) => line(person, person.id === myself)));
}

function line(person, mine) {
  return el('li', { title: person.name }, avatar(person), el('span', { class: 'who', dir: 'auto' }, person.name),
    mine ? el('span', { class: 'muted' }, '(you)') : null);
}

/** foldPeople makes the button open and close the list. */
export function foldPeople() {
  const button = byId('here');
  const fold = (open) => {
    button.setAttribute('aria-expanded', String(open));
    byId('people').classList.toggle('open', open);
  };
  button.addEventListener('click', () => fold(button.getAttribute('aria-expanded') === 'false'));
  document.addEventListener('keydown', (event) => event.key === 'Escape' && fold(false));
  document.addEventListener('click', (event) => {
    if (!button.contains(event.target) && !byId('people').contains(event.target)) fold(false);
  });
}
