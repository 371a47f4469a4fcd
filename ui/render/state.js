// The first line: one sentence, one icon, one more sentence with numbers; and the browser's tab.

import { el, setHidden, setText } from '../dom.js';
import { favicon, icon } from '../icons.js';
import { said } from '../sentences.js';
import { words } from '../words.js';

/** What is said first, and what follows it: the reason, and what becomes of what waits. */
const FIRST = /^(.{10,}?[.।!?] )(\S.*)$/s;

export function createState(sentence, summary, place, tab) {
  let drawn = null;
  let title = words.looking;

  setText(sentence, words.looking);
  draw('starting');

  return {
    update(snapshot) {
      tell(said(snapshot.sentence));
      setText(summary, said(snapshot.summary));
      setHidden(summary, snapshot.summary === '');
      title = words.title(words.states[snapshot.state] ?? snapshot.state, snapshot.counts.held);
      document.body.dataset.state = snapshot.state;
      draw(snapshot.state);
    },
    tick(_now, stale) {
      document.title = stale ? words.titleStale : title;
      const shown = stale ? 'starting' : drawn;
      if (tab.dataset.state !== shown) {
        tab.dataset.state = shown;
        tab.href = favicon(shown);
      }
    },
  };

  function tell(text) {
    if (sentence.textContent === text) return;
    const [, first, rest] = FIRST.exec(text) ?? [text, text, ''];
    sentence.replaceChildren(first, ...(rest ? [el('span', { class: 'rest', text: rest })] : []));
  }

  function draw(state) {
    if (state === drawn) return;
    drawn = state;
    place.replaceChildren(icon(state));
  }
}
