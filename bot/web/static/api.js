// The page's half of the API. A call answers with the server's JSON or throws one of two errors, and which one it is
// decides what happens next: a Refusal is the server's last word; after Unreached nobody knows whether the call was heard,
// so it is made again with the same key, which the server answers as it did the first time. What only reads may always be
// made again, so there a server in trouble (starting, disk full) counts as one that was not reached.

const patience = 20_000; // milliseconds until an answer is given up

/** The server said no: message is for the person, retryAfter in seconds is when to try again (0: not by waiting). */
export class Refusal extends Error {
  constructor({ code = 'failed', message, option = '', retry_after = 0 }) {
    super(message || 'Something went wrong. Please try again.');
    Object.assign(this, { code, option, retryAfter: retry_after });
  }
}

/** No answer came, or none that counts. Its cause is the Refusal that a server in trouble gave, if it did. */
export class Unreached extends Error {}

export const session = () => call('GET', '/api/session');
export const rename = (name) => known('POST', '/api/session', { name });
export const messages = (before) => known('GET', before ? `/api/messages?limit=50&before=${before}` : '/api/messages?limit=50');
export const command = (key, text) => known('POST', '/api/commands', { key, text });
export const action = (key, { job, action, index }) => known('POST', '/api/actions', { key, job, action, index });

export const pictureURL = ({ job, index }) => `/pictures/${encodeURIComponent(job)}/${index}.png`;
export const sealedURL = ({ job, index }) => `/sealed/${encodeURIComponent(job)}/${index}.png`;

/** A random UUID. crypto.randomUUID is missing where a page comes over plain HTTP from another machine. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
}

let wake = () => {};
let woken = new Promise((resolve) => { wake = resolve; });

/** nudge lets everything that insist holds back try again at once: the server is there again. */
export function nudge() {
  wake();
  woken = new Promise((resolve) => { wake = resolve; });
}

/** insist repeats a call until it is answered; waiting is called each time that it was not, with the Unreached. */
export async function insist(attempt, waiting = () => {}) {
  for (let pause = 500; ; pause = Math.min(pause * 2, 5000)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Unreached)) throw error;
      waiting(error);
      await Promise.race([woken, new Promise((resolve) => setTimeout(resolve, pause))]);
    }
  }
}

// A server with a new data folder does not know this browser's cookie any more. Asking for the session gives a new one.
async function known(method, path, body) {
  try {
    return await call(method, path, body);
  } catch (error) {
    if (error.code !== 'session') throw error;
    dispatchEvent(new CustomEvent('easel:session', { detail: await session() }));
    return call(method, path, body);
  }
}

async function call(method, path, body) {
  const request = { method, signal: AbortSignal.timeout(patience) };
  if (body) {
    request.headers = { 'Content-Type': 'application/json' };
    request.body = JSON.stringify(body);
  }
  let response, answer;
  try {
    response = await fetch(path, request);
    answer = await response.json();
  } catch (cause) {
    if (response && response.status >= 400 && response.status < 500) throw new Refusal({});
    throw new Unreached('The server cannot be reached. Try again in a moment.', { cause });
  }
  if (response.ok) return answer;
  const refusal = answer?.error && new Refusal(answer.error);
  if (refusal && (body || response.status < 500)) throw refusal;
  throw new Unreached(`The server answered ${response.status}.`, { cause: refusal });
}
