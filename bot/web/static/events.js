// The live stream. EventSource reconnects by itself and says where it stopped; what it does not do is come back after an
// answer other than 200 (a server that starts or stops), so then a new one is opened from the same place.
//
// A browser has six connections to a server over HTTP/1.1, for all its tabs together, and a stream takes one for good. So
// only a tab that is seen has one; a hidden tab catches up when it is shown.

const unnoticed = 1000; // milliseconds for which a lost connection is not worth a word
const again = 1500; // milliseconds until a closed stream is opened anew
const glance = 3000; // milliseconds for which one may look elsewhere before the stream ends

/**
 * listen calls on[name](data) for every event after the revision `after`, while the tab is seen. It calls
 * on.connection(false) when the stream has been away for a second and on.connection(true) when it is back or nobody looks,
 * and on.closed() when the server would not have it: perhaps it does not know the person any more. It returns a function
 * that ends it.
 */
export function listen(after, on) {
  const ended = new AbortController();
  let source, reopening, losing, resting; // without a source the stream rests

  function open() {
    clearTimeout(reopening);
    source?.close();
    source = new EventSource(`/api/events?after=${after}`);
    source.onopen = well;
    source.onerror = away;
    for (const name of ['hello', 'message', 'progress', 'people', 'reset']) {
      source.addEventListener(name, (event) => deliver(name, event));
    }
  }

  function rest() {
    clearTimeout(reopening);
    source?.close();
    source = undefined;
  }

  function look() {
    clearTimeout(resting);
    if (document.hidden) {
      well();
      resting = setTimeout(rest, glance);
    } else if (!source) open();
  }

  function deliver(name, event) {
    if (name === 'message' && event.lastEventId) after = event.lastEventId;
    on[name](event.data ? JSON.parse(event.data) : {});
  }

  function well() {
    clearTimeout(losing);
    losing = undefined;
    on.connection(true);
  }

  function away() {
    if (!document.hidden) losing ??= setTimeout(() => on.connection(false), unnoticed);
    if (source.readyState !== EventSource.CLOSED) return;
    on.closed();
    reopening = setTimeout(open, again);
  }

  if (!document.hidden) open();
  document.addEventListener('visibilitychange', look, { signal: ended.signal });
  addEventListener('online', () => source && open(), { signal: ended.signal });
  return () => {
    ended.abort();
    clearTimeout(losing);
    clearTimeout(resting);
    rest();
  };
}
