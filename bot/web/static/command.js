// A command as it is shown in the feed, by a job's message and by one still on its way.

import { el } from './dom.js';

/** commandLine shows what a job was asked for. What was made from another picture was pressed, not typed: no
 * verb then. What waits for a moderator has no words yet. */
export function commandLine({ prompt, options, origin }) {
  return line(origin || !prompt ? '' : '/imagine', prompt, options);
}

/** typedLine shows a line as it was typed. */
export function typedLine(text) {
  const [, verb = '', rest = text] = /^(\/\S+)\s*([^]*)$/.exec(text) ?? [];
  return verb ? line(verb, rest) : el('p', { class: 'text', dir: 'auto' }, text);
}

function line(verb, prompt, options) {
  const parts = [
    verb && el('span', { class: 'verb' }, verb),
    prompt && el('span', { class: 'prompt', dir: 'auto' }, prompt),
    options && el('span', { class: 'options', dir: 'auto' }, options),
  ].filter(Boolean);
  return el('p', { class: 'command', 'data-testid': 'command' }, ...parts.flatMap((part, i) => (i ? [' ', part] : [part])));
}
