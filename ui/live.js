// How the page hears of changes: an event stream while it is looked at, and asking where that fails or while it
// is hidden (a browser has only six connections for all tabs of one address; a stream would hold one each).

import { fetchStatus } from './api.js';

const AGAIN = 2000;
const AGAIN_HIDDEN = 5000;

/** Calls `heard(snapshot)` for ever, with null where nothing changed, and `locked()` when the key is not taken. */
export function follow({ heard, locked }) {
  let source = null;
  let timer = 0;
  let turn = 0;

  function start() {
    turn += 1;
    clearTimeout(timer);
    source?.close();
    source = null;
    if (document.hidden) ask(turn);
    else listen();
  }

  function listen() {
    source = new EventSource('/api/events');
    source.addEventListener('snapshot', (event) => heard(JSON.parse(event.data)));
    source.addEventListener('ping', () => heard(null));
    source.addEventListener('error', () => {
      source?.close();
      source = null;
      ask(turn);
    });
  }

  async function ask(mine) {
    const answer = await fetchStatus();
    if (mine !== turn) return;
    if (answer.ok) heard(answer.snapshot);
    if (answer.locked) locked();
    timer = setTimeout(start, document.hidden ? AGAIN_HIDDEN : AGAIN);
  }

  document.addEventListener('visibilitychange', start);
  start();
}
