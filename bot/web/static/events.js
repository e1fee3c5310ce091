// The live stream. EventSource reconnects by itself and says where it stopped; what it does not do is come back after an
// answer other than 200 (a server that starts or stops), so then a new one is opened from the same place.

const unnoticed = 1000; // milliseconds for which a lost connection is not worth a word
const again = 1500; // milliseconds until a closed stream is opened anew

/**
 * listen calls on[name](data) for every event after the revision `after`, on.connection(true|false) as the stream comes
 * back or has been away for a second, and on.closed() when the server would not have it: perhaps it does not know the
 * person any more. It returns a function that ends it.
 */
export function listen(after, on) {
  let source, reopening, losing;

  function open() {
    clearTimeout(reopening);
    source?.close();
    source = new EventSource(`/api/events?after=${after}`);
    source.onopen = back;
    source.onerror = away;
    for (const name of ['hello', 'message', 'progress', 'people', 'reset']) {
      source.addEventListener(name, (event) => deliver(name, event));
    }
  }

  function deliver(name, event) {
    if (name === 'message' && event.lastEventId) after = event.lastEventId;
    on[name](event.data ? JSON.parse(event.data) : {});
  }

  function back() {
    clearTimeout(losing);
    losing = undefined;
    on.connection(true);
  }

  function away() {
    losing ??= setTimeout(() => on.connection(false), unnoticed);
    if (source.readyState !== EventSource.CLOSED) return;
    on.closed();
    reopening = setTimeout(open, again);
  }

  open();
  addEventListener('online', open);
  return () => {
    removeEventListener('online', open);
    clearTimeout(reopening);
    clearTimeout(losing);
    source.close();
  };
}
