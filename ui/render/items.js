// The lists of waiting and of held invoices.

import { el, keyed, setHidden, setText } from '../dom.js';
import { count, exact, moment, money, until } from '../format.js';
import { words } from '../words.js';

export function createItems(kind, command) {
  const held = kind === 'held';
  const note = el('p', { class: 'note' });
  const all = el('button', { type: 'button', text: words.retryAll, title: words.retryAllHint, 'data-do': 'retry_all', click: () => asked(all, words.retryAll, () => command({ command: 'retry_all' })) });
  const head = el('div', { class: 'list-head' }, note, all);
  const rows = el('ul', { class: 'items' });
  const more = el('p', { class: 'note' });
  const empty = el('div', { class: 'empty' }, el('p'), el('p'));
  const node = el('div', {}, head, rows, more, empty);
  const list = keyed(rows, () => itemRow(held, command));

  return {
    node,
    update(snapshot, search, now) {
      const mine = snapshot.items.filter((item) => (item.state === 'held') === held);
      const found = search ? mine.filter((item) => matches(item, search)) : mine;
      const total = held ? snapshot.counts.held : snapshot.counts.waiting;
      list.set(found, (item) => item.record_id);
      list.tick(now);
      setText(note, held ? words.heldNote(total) : words.waitingNote(total));
      setHidden(head, mine.length === 0);
      setText(more, words.firstOf(count(mine.length), count(total)));
      setHidden(more, search !== '' || mine.length >= total || mine.length === 0);
      const [title, hint] = search ? [words.emptySearch(search), ''] : emptyWords(held, snapshot.state);
      setText(empty.firstChild, title);
      setText(empty.lastChild, hint);
      setHidden(empty, found.length > 0);
    },
    tick(now, stale) {
      list.tick(now);
      for (const button of node.querySelectorAll('button[data-do]')) {
        const off = stale || button.dataset.asking === 'yes';
        if (button.disabled !== off) button.disabled = off;
      }
    },
  };
}

/** What an empty list means depends on what is proven: only in step is "nothing waits" the whole truth. */
function emptyWords(held, state) {
  if (state === 'starting') return [words.emptyStarting, ''];
  if (held) return [words.emptyHeld, words.emptyHeldMore];
  return [words.emptyWaiting, state === 'in_step' ? words.emptyWaitingMore : ''];
}

function matches(item, search) {
  const text = `${item.number} ${item.customer} ${item.amount} ${item.sentence}`.toLocaleLowerCase();
  return search.toLocaleLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function itemRow(held, command) {
  const number = el('p', { class: 'number' });
  const customer = el('p', { class: 'customer' });
  const amount = el('p', { class: 'amount' });
  const sentence = el('p', { class: 'sentence' });
  const action = el('p', { class: 'action' });
  const when = el('p', { class: 'when' });
  const facts = el('dl');
  const error = el('pre');
  const details = el('details', { toggle: () => fillDetails() }, el('summary', { text: words.details }), facts, error);
  const retry = el('button', { type: 'button', text: words.retryNow, 'data-do': 'retry', click: () => asked(retry, words.retryNow, () => command({ command: 'retry', number: item.number })) });
  // What the app took back and RainTek still has: a person decides, and is asked twice before rows are removed.
  const remove = el('button', { type: 'button', text: words.remove, 'data-do': 'remove', click: () => window.confirm(words.removeSure(item.number)) && asked(remove, words.remove, () => command({ command: 'remove', number: item.number })) });
  const leave = el('button', { type: 'button', text: words.leave, 'data-do': 'leave', click: () => asked(leave, words.leave, () => command({ command: 'leave', number: item.number })) });
  // Somebody else has its number: the app is given another one, so a printed copy is warned about first.
  const renumber = el('button', { type: 'button', text: words.renumber, 'data-do': 'renumber', click: () => window.confirm(words.renumberSure(item.number)) && asked(renumber, words.renumber, () => command({ command: 'renumber', number: item.number })) });
  const node = el('li', { class: 'item' },
    el('div', { class: 'who' }, number, customer),
    el('div', { class: 'why' }, sentence, action, when, details),
    amount,
    el('div', { class: 'do' }, retry, renumber, remove, leave));
  let item = null;

  return {
    node,
    update(news) {
      item = news;
      node.dataset.number = item.number;
      setText(number, item.number || words.noNumber);
      setText(customer, item.customer || words.walkIn);
      customer.title = item.customer;
      setText(amount, money(item.amount) ?? words.noAmount);
      amount.classList.toggle('unreadable', money(item.amount) === null);
      setText(sentence, item.sentence || (words.itemStates[item.state] ?? item.state));
      setText(action, item.action_kind === 'wait' ? '' : item.action);
      setHidden(action, action.textContent === '');
      retry.setAttribute('aria-label', words.retryOne(item.number));
      const choice = item.action_kind === 'remove_or_leave';
      setHidden(retry, choice);
      // One that only waits may be a revision in its first moments.
      setHidden(renumber, !held || item.action_kind !== 'renumber');
      setHidden(remove, !choice);
      setHidden(leave, !choice);
      if (details.open) fillDetails();
    },
    tick(now) {
      const parts = [since(now)];
      if (item.tries > 0) parts.push(words.tries(item.tries));
      if (item.next_try) parts.push(words.nextTry(until(new Date(item.next_try), now)));
      setText(when, parts.join(' · '));
    },
  };

  function since(now) {
    const failed = item.first_failed ? moment(new Date(item.first_failed), now) : null;
    if (held) return words.heldSince(failed ?? moment(new Date(item.first_seen), now));
    return failed ? words.failingSince(failed) : words.waitingSince(moment(new Date(item.first_seen), now));
  }

  /** Built only for who opens it: five hundred rows need no five hundred tables. */
  function fillDetails() {
    if (!details.open) return;
    const table = [
      [words.detailState, words.itemStates[item.state] ?? item.state],
      [words.detailTries, count(item.tries)],
      [words.detailSeen, exact(new Date(item.first_seen))],
      [words.detailFailed, item.first_failed ? exact(new Date(item.first_failed)) : '–'],
      [words.detailNext, item.next_try ? exact(new Date(item.next_try)) : '–'],
      [words.detailRecord, item.record_id],
    ];
    if (item.detail) table.push([words.detailError, '']);
    facts.replaceChildren(...table.flatMap(([name, value]) => [el('dt', { text: name }), el('dd', { text: value })]));
    setText(error, item.detail);
    setHidden(error, item.detail === '');
  }
}

/** A button that shows that it was heard, and cannot be pressed twice meanwhile. */
async function asked(button, text, ask) {
  button.dataset.asking = 'yes';
  button.disabled = true;
  button.textContent = words.asking;
  await ask();
  button.dataset.asking = 'no';
  button.disabled = false;
  button.textContent = text;
}
