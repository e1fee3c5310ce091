// What the composer offers: commands after "/", options of /imagine after "--", and what an option wants after its name.

/**
 * suggest reads the text before the caret. It returns undefined, or {from, items}: items are {label, insert, hint, help,
 * takes}, to be put in place of what was typed since from; one without insert only explains.
 */
export function suggest(text, { commands, options }) {
  return command(text, commands) ?? optionName(text, options) ?? optionValue(text, options);
}

function command(text, commands) {
  const typed = /^\/(\S*)$/.exec(text)?.[1];
  if (typed === undefined) return undefined;
  const items = matching(commands, typed).map(({ name, help, example }) => (
    { label: `/${name}`, insert: `/${name}`, hint: example, help, takes: Boolean(example) }));
  return offer(0, items);
}

// Phones turn two hyphens into one long dash.
function optionName(text, options) {
  const [all, typed] = /(?:(?<=\s)|^)(?:--|[\u2013\u2014])([\w-]*)$/.exec(painting(text)) ?? [];
  if (all === undefined) return undefined;
  const used = new Set(Array.from(text.matchAll(/\s--([\w-]+)[\s=]/g), (match) => match[1]));
  const items = matching(options, typed).filter(({ name }) => !used.has(name)).map(({ name, hint, help }) => (
    { label: `--${name}`, insert: `--${name}`, hint, help, takes: Boolean(hint) }));
  return offer(text.length - all.length, items);
}

function optionValue(text, options) {
  const name = /\s--([\w-]+)[ =]$/.exec(painting(text))?.[1];
  const option = options.find((option) => option.name === name && option.hint);
  return option && offer(text.length, [{ label: `--${option.name}`, hint: option.hint, help: option.help }]);
}

const painting = (text) => /^\/imagine(\s[^]*)$/.exec(text)?.[1] ?? '';
const matching = (list, typed) => list.filter(({ name }) => name.startsWith(typed.toLowerCase()));
const offer = (from, items) => (items.length ? { from, items } : undefined);
