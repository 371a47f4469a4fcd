// The lists of waiting and of held invoices.

import { get, post, send } from '../api.js';
import { asked as askedFor, confirmed } from '../dialog.js';
import { el, keyed, setHidden, setText } from '../dom.js';
import { count, exact, moment, money, until } from '../format.js';
import { said } from '../sentences.js';
import { words } from '../words.js';

/** The setting that names the product on which items are booked that RainTek does not have. */
const UNKNOWN_ITEM = 'products.unknown_item';

export function createItems(kind, command, say) {
  const held = kind === 'held';
  const note = el('p', { class: 'note' });
  const all = el('button', { type: 'button', text: words.retryAll, title: words.retryAllHint, 'data-do': 'retry_all', click: () => asked(all, () => command({ command: 'retry_all' })) });
  const head = el('div', { class: 'list-head' }, note, all);
  const rows = el('ul', { class: 'items' });
  const more = el('p', { class: 'note' });
  const empty = el('div', { class: 'empty' }, el('p'), el('p'));
  const node = el('div', {}, head, rows, more, empty);
  const list = keyed(rows, () => itemRow(held, command, say, book));

  // On what such items are booked, as the settings say; read once there is one.
  const book = { code: null, read: false };

  async function readBook() {
    book.read = true;
    const { ok, body } = await get('/api/settings');
    const fields = ok ? body.groups.flatMap((group) => group.fields) : [];
    book.code = fields.find((field) => field.key === UNKNOWN_ITEM)?.value || null;
    book.known = fields.some((field) => field.key === UNKNOWN_ITEM);
    for (const row of rows.children) row.dispatchEvent(new Event('book'));
  }

  return {
    node,
    update(snapshot, search, now) {
      const mine = snapshot.items.filter((item) => (item.state === 'held') === held);
      if (!book.read && mine.some((item) => item.action_kind === 'pull_products')) readBook();
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

/** Whether this is one of the words it is searched by. */
function matches(item, search) {
  const text = `${item.number} ${item.customer} ${item.amount} ${item.sentence} ${said(item.sentence)}`.toLocaleLowerCase();
  return search.toLocaleLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** What an empty list means depends on what is proven: only in step is "nothing waits" the whole truth. */
function emptyWords(held, state) {
  if (state === 'starting') return [words.emptyStarting, ''];
  if (held) return [words.emptyHeld, words.emptyHeldMore];
  return [words.emptyWaiting, state === 'in_step' ? words.emptyWaitingMore : ''];
}

function itemRow(held, command, say, book) {
  const number = el('p', { class: 'number' });
  const customer = el('p', { class: 'customer' });
  const amount = el('p', { class: 'amount' });
  const sentence = el('p', { class: 'sentence' });
  const action = el('p', { class: 'action' });
  const when = el('p', { class: 'when' });
  const facts = el('dl');
  const error = el('pre');
  const plan = el('pre', { class: 'plan' });
  const details = el('details', { toggle: () => fillDetails(true) }, el('summary', { text: words.details }), facts, error, plan);
  const buttons = {
    retry: button('retry', words.retryNow, () => command({ command: 'retry', number: item.number })),
    pull: button('pull', words.pull, () => command({ command: 'sync_now' })),
    book: button('book', words.bookAsSome, bookIt),
    // Somebody else has its number: the app is given another one, so a printed copy is warned about first.
    renumber: button('renumber', words.renumber, () => command({ command: 'renumber', number: item.number }), words.renumberSure),
    // What the app took back and RainTek still has: a person decides, and is asked twice before rows are removed.
    remove: button('remove', words.remove, () => command({ command: 'remove', number: item.number }), words.removeSure),
    leave: button('leave', words.leave, () => command({ command: 'leave', number: item.number })),
  };
  const node = el('li', { class: 'item', book: () => showButtons() },
    el('div', { class: 'who' }, number, customer),
    el('div', { class: 'why' }, sentence, action, when, details),
    amount,
    el('div', { class: 'do' }, ...Object.values(buttons)));
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
      setText(sentence, said(item.sentence) || (words.itemStates[item.state] ?? item.state));
      setText(action, item.action_kind === 'wait' ? '' : said(item.action));
      setHidden(action, action.textContent === '');
      buttons.retry.setAttribute('aria-label', words.retryOne(item.number));
      showButtons();
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

  /** The one thing to do, and trying again; what it is depends on why it is held. */
  function showButtons() {
    const kind = held || item.action_kind === 'remove_or_leave' ? item.action_kind : '';
    setHidden(buttons.retry, kind === 'remove_or_leave');
    setHidden(buttons.pull, kind !== 'pull_products');
    setHidden(buttons.book, kind !== 'pull_products' || !book.known);
    setText(buttons.book, book.code ? words.bookAs(book.code) : words.bookAsSome);
    setHidden(buttons.renumber, kind !== 'renumber');
    setHidden(buttons.remove, kind !== 'remove_or_leave');
    setHidden(buttons.leave, kind !== 'remove_or_leave');
  }

  function button(name, text, work, question = null) {
    const one = el('button', { type: 'button', text, 'data-do': name, async click() {
      if (question && !(await confirmed(question(item.number), text))) return;
      await asked(one, work);
    } });
    return one;
  }

  /** Once it is named, whatever RainTek does not have is booked on it: trying again is then enough. */
  async function bookIt() {
    const mine = item.number;
    if (!book.code) {
      const code = await askedFor(words.bookAsTitle, words.bookAsHelp, words.bookAsDo);
      if (!code) return;
      const answer = await post('/api/settings', { changes: { [UNKNOWN_ITEM]: code } });
      if (!answer.ok) return say(answer.sentence ?? words.noAnswer, false);
      book.code = code;
      showButtons();
      if (answer.body.restart_needed?.includes(UNKNOWN_ITEM)) return say(words.needsRestart);
    }
    await command({ command: 'retry', number: mine });
  }

  /** Built only for who opens it: five hundred rows need no five hundred tables. */
  function fillDetails(opened = false) {
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
    if (opened) preview();
  }

  async function preview() {
    setText(plan, words.asking);
    const answer = await send({ command: 'preview', number: item.number });
    const lines = (answer.sentence ?? words.cannotShow).split('\n').map((line) => said(line));
    setText(plan, `${words.detailRows}\n${lines.join('\n')}`);
  }
}

/** A button that shows that it was heard, and cannot be pressed twice meanwhile. */
async function asked(button, ask) {
  const text = button.textContent;
  button.dataset.asking = 'yes';
  button.disabled = true;
  button.textContent = words.asking;
  await ask();
  button.dataset.asking = 'no';
  button.disabled = false;
  if (button.textContent === words.asking) button.textContent = text;
}
