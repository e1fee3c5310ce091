// The local channel's page: who stands where. The server's messages are the truth; the page only draws them, and keeps
// what one is about to say until the server has it.

import * as api from './api.js';
import { Composer } from './composer.js';
import { showDetails } from './details.js';
import { byId, el, setText } from './dom.js';
import { listen } from './events.js';
import { Feed } from './feed.js';
import { nameDialog, showName } from './name.js';
import { notify, refuse } from './notice.js';
import { Outbox } from './outbox.js';
import { foldPeople, showPeople } from './people.js';
import { view } from './viewer.js';

let session = { me: { id: '', name: '' }, commands: [], options: [] };
let people = [];
let leave = () => {}; // ends the stream

const me = () => session.me;
const feed = new Feed({ me, press, reveal, open: view, fail: refuse });
const outbox = new Outbox({ me, has, notice: notify, refused });
const composer = new Composer((line) => {
  outbox.send(line);
  feed.toBottom();
});

const on = {
  hello({ version }) {
    api.nudge();
    if (version !== session.version) offerReload();
  },
  message: (message) => outbox.arrived(feed.apply(message) ? message : undefined),
  progress: (update) => feed.progress(update),
  people(now) {
    people = now.people;
    meet({ ...session, me: people.find(({ id }) => id === me().id) ?? me() }); // perhaps renamed in another tab
  },
  reset: () => again().catch(refuse),
  closed: () => api.session().then(renew, () => {}),
  connection: (there) => connection(there ? '' : 'Reconnecting…'),
};

async function start() {
  nameDialog(me, meet);
  foldPeople();
  addEventListener('easel:session', ({ detail }) => renew(detail));
  await begin();
  outbox.resume();
  if (matchMedia('(pointer: fine)').matches) byId('text').focus(); // on a phone it would open the keyboard
}

// A server that cannot let anybody in yet may say why. The page says so until it is in.
async function begin() {
  const slow = setTimeout(connection, 1000, 'Connecting…');
  let sorry;
  const waiting = ({ cause }) => {
    if (cause instanceof api.Refusal) sorry ??= notify(cause.message, { wrong: true, code: cause.code });
  };
  meet(await api.insist(api.session, waiting));
  await load(waiting);
  clearTimeout(slow);
  sorry?.remove();
}

// The page first, then the stream from where the page ends: nothing is missed between them.
async function load(waiting) {
  const page = await api.insist(() => api.messages(), waiting);
  leave();
  feed.start(page);
  connection('');
  leave = listen(page.cursor, on);
}

// The server's data are others than before: nothing here is true any more.
async function again() {
  leave();
  await begin();
}

function renew(now) {
  const changed = now.me.id !== me().id;
  meet(now);
  if (changed) load().catch(refuse);
}

function meet(now) {
  session = { ...now, version: session.version ?? now.version };
  showName(me());
  showPeople(people, me().id);
  composer.learn(session);
  invite(session.commands.find(({ example }) => example));
}

function invite(command) {
  if (!command) return;
  const line = `/${command.name} ${command.example}`;
  byId('welcome-try').hidden = false;
  byId('welcome-try').textContent = line;
  byId('welcome-try').onclick = () => composer.put(line);
}

function has({ job, message }) {
  return job ? feed.hasJob(job) : feed.hasMessage(message);
}

function refused(error, line) {
  refuse(error);
  composer.restore(line);
}

async function press(job, { action, index }) {
  const key = api.newKey();
  try {
    const answer = await api.insist(() => api.action(key, { job, action, index }));
    if (answer.notice) notify(answer.notice);
    if (answer.details) showDetails(answer.details);
    return answer;
  } catch (error) {
    refuse(error);
    return undefined;
  }
}

async function reveal({ job }) {
  if (!await feed.reveal(job)) notify('That message is not here any more.');
}

function connection(text) {
  setText(byId('connection'), text);
}

function offerReload() {
  const reload = el('button', { class: 'button', type: 'button', 'data-testid': 'reload', onclick: () => location.reload() }, 'Reload');
  byId('update').replaceChildren(el('span', {}, 'Easel was updated.'), reload);
}

start().catch(refuse);
