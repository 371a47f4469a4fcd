// How the page hears of changes: an event stream while it is looked at, and asking where that fails or while it
// is hidden (a browser has only six connections for all tabs of one address; a stream would hold one each). A window
// of ShopSync's own has no network between it and ShopSync, only whole answers: there each question waits for news.

import { IN_WINDOW, fetchStatus } from './api.js';

const AGAIN = 2000;
const AGAIN_HIDDEN = 5000;
const GAP = 250;

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
    else if (IN_WINDOW) wait(turn, null);
    else listen();
  }

  async function wait(mine, known) {
    const answer = await fetchStatus(known);
    if (mine !== turn) return;
    if (answer.ok) heard(answer.snapshot);
    if (answer.locked) locked();
    if (answer.ok) timer = setTimeout(() => wait(mine, answer.snapshot?.at ?? known), GAP);
    else timer = setTimeout(start, AGAIN);
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
