// The invoices of the app that reached RainTek today, newest first.

import { el, keyed, setHidden, setText } from '../dom.js';
import { count, duration, exact, moment, money } from '../format.js';
import { createPull } from '../pull.js';
import { words } from '../words.js';

export function createDone(redraw) {
  const note = el('p', { class: 'note' });
  const head = el('div', { class: 'list-head' }, note);
  const rows = el('ul', { class: 'lines bills' });
  const empty = el('div', { class: 'empty' }, el('p'), el('p'));
  const list = keyed(rows, doneRow);
  let done = [];
  let failed = false;
  const pull = createPull('/api/day', (body) => {
    failed = body === null;
    done = body?.done ?? done;
    redraw();
  });

  return {
    node: el('div', {}, head, rows, empty),
    update(snapshot, search, now) {
      pull(dayKey(snapshot));
      const total = Math.max(snapshot.counts.done_today, done.length);
      const wanted = search.toLocaleLowerCase();
      const found = done.filter((one) => `${one.number} ${one.customer} ${one.amount}`.toLocaleLowerCase().includes(wanted));
      list.set(found, (one) => `${one.number} ${one.at}`);
      list.tick(now);
      setText(note, failed ? words.cannotShow : words.newestOf(count(done.length), count(total)));
      setHidden(head, !failed && done.length >= total);
      const [title, hint] = search ? [words.emptySearch(search), ''] : emptyWords(snapshot);
      setText(empty.firstChild, title);
      setText(empty.lastChild, hint);
      setHidden(empty, found.length > 0);
    },
    tick: (now) => list.tick(now),
  };
}

/** What changes when the day's invoices change. */
export function dayKey(snapshot) {
  return `${snapshot.counts.done_today} ${snapshot.counts.done_total} ${snapshot.last_push?.at} ${new Date(snapshot.at).toDateString()}`;
}

function emptyWords({ state, counts }) {
  if (counts.done_today > 0) return [words.asking, ''];
  if (state === 'starting') return [words.emptyStarting, ''];
  return [words.emptyDone, words.emptyDoneMore];
}

function doneRow() {
  const number = el('span', { class: 'number' });
  const customer = el('span', { class: 'customer' });
  const when = el('time');
  const took = el('span', { class: 'took' });
  const amount = el('span', { class: 'amount' });
  let at = null;
  return {
    node: el('li', {}, number, customer, el('span', { class: 'kind' }, when, took), amount),
    update(one) {
      at = new Date(one.at);
      setText(number, one.number || words.noNumber);
      setText(customer, one.customer || words.walkIn);
      customer.title = one.customer;
      when.dateTime = one.at;
      when.title = exact(at);
      setText(took, words.tookTime(duration(one.took_ms)));
      setText(amount, money(one.amount) ?? words.noAmount);
    },
    tick(now) {
      setText(when, moment(at, now));
    },
  };
}
