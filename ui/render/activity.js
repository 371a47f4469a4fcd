// What happened, newest first: all of it, and the invoices of today.

import { el, keyed, setHidden, setText } from '../dom.js';
import { count, exact, moment, sameDay } from '../format.js';
import { words } from '../words.js';

export function createActivity() {
  const options = Object.entries(words.kinds).map(([value, text]) => el('option', { value, text }));
  const pick = el('select', { change: () => redraw() }, ...options);
  const head = el('div', { class: 'list-head' }, el('label', { class: 'note' }, el('span', { text: words.kind }), pick));
  const body = lines();
  let last = null;

  return {
    node: el('div', {}, head, body.node),
    update(snapshot, search, now) {
      last = [snapshot, search, now];
      redraw();
    },
    tick: body.tick,
  };

  function redraw() {
    if (!last) return;
    const [snapshot, search, now] = last;
    const mine = snapshot.activity.filter((line) => pick.value === '' || line.kind === pick.value);
    const calm = pick.value === '' ? [words.emptyActivity, words.emptyActivityMore] : [words.emptyKind, ''];
    setHidden(head, snapshot.activity.length === 0);
    body.update(mine, search, now, calm);
  }
}

export function createDone() {
  const note = el('p', { class: 'note' });
  const head = el('div', { class: 'list-head' }, note);
  const body = lines('lines plain');

  return {
    node: el('div', {}, head, body.node),
    update(snapshot, search, now) {
      const done = snapshot.counts.done_today;
      const mine = snapshot.activity.filter((line) => line.kind === 'push' && sameDay(new Date(line.at), now));
      setText(note, words.newestOf(count(mine.length), count(done)));
      setHidden(head, mine.length === 0 || mine.length >= done);
      body.update(mine, search, now, emptyWords(snapshot.state, done));
    },
    tick: body.tick,
  };
}

function emptyWords(state, done) {
  if (done > 0) return [words.doneEarlier(done), ''];
  if (state === 'starting') return [words.emptyStarting, ''];
  return [words.emptyDone, words.emptyDoneMore];
}

function lines(look = 'lines') {
  const rows = el('ul', { class: look });
  const empty = el('div', { class: 'empty' }, el('p'), el('p'));
  const list = keyed(rows, lineRow);
  return {
    node: el('div', {}, rows, empty),
    update(all, search, now, calm) {
      const wanted = search.toLocaleLowerCase();
      const found = all.filter((line) => `${line.number} ${line.sentence}`.toLocaleLowerCase().includes(wanted));
      list.set(found, (line) => String(line.id));
      list.tick(now);
      const [title, hint] = search ? [words.emptySearch(search), ''] : calm;
      setText(empty.firstChild, title);
      setText(empty.lastChild, hint);
      setHidden(empty, found.length > 0);
    },
    tick(now) {
      list.tick(now);
    },
  };
}

function lineRow() {
  const when = el('time');
  const kind = el('span', { class: 'kind' });
  const says = el('span', { class: 'says' });
  let at = null;
  return {
    node: el('li', {}, when, kind, says),
    update(line) {
      at = new Date(line.at);
      when.dateTime = line.at;
      when.title = exact(at);
      setText(kind, words.kinds[line.kind] ?? line.kind);
      setText(says, line.sentence);
    },
    tick(now) {
      setText(when, moment(at, now));
    },
  };
}
