// What the browser keeps for the page. Without storage (blocked, or full) things live as long as the page does.

/** recall reads what was kept in "localStorage" or "sessionStorage" under a name. */
export function recall(storage, name, otherwise) {
  try {
    return JSON.parse(window[storage].getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** keep writes a value down, if it can. */
export function keep(storage, name, value) {
  try {
    window[storage].setItem(name, JSON.stringify(value));
  } catch {
    // Nothing to do about it, and nothing on the page depends on it.
  }
}
