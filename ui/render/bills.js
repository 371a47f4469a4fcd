// Bills that RainTek's own tills made, newest first.

import { el, keyed, setHidden, setText } from '../dom.js';
import { dayOf } from '../format.js';
import { createPull } from '../pull.js';
import { said } from '../sentences.js';
import { words } from '../words.js';

export function createBills(redraw) {
  const note = el('p', { class: 'note' });
  const head = el('div', { class: 'list-head' }, note);
  const rows = el('ul', { class: 'lines bills' });
  const empty = el('div', { class: 'empty' }, el('p'), el('p'));
  const list = keyed(rows, billRow);
  let bills = [];
  let failed = false;
  const pull = createPull('/api/bills', (body) => {
    failed = body === null;
    bills = body ?? bills;
    redraw();
  });

  return {
    node: el('div', {}, head, rows, empty),
    update(snapshot, search) {
      const { total, today, last_pass: last, sentence } = snapshot.from_raintek;
      pull(`${total} ${today} ${last}`);
      const wanted = search.toLocaleLowerCase();
      const found = bills.filter((bill) => `${bill.number} ${bill.sentence ?? ''}`.toLocaleLowerCase().includes(wanted));
      list.set(found, (bill) => `${bill.inv_id} ${bill.number}`);
      setText(note, failed ? words.cannotShow : said(sentence) ?? words.raintekNote);
      setHidden(head, bills.length === 0 && !failed && !sentence);
      const calm = snapshot.state === 'starting' ? [words.emptyStarting, ''] : [words.emptyRaintek, words.emptyRaintekMore];
      const [title, hint] = search ? [words.emptySearch(search), ''] : calm;
      setText(empty.firstChild, title);
      setText(empty.lastChild, hint);
      setHidden(empty, found.length > 0);
    },
    tick() {},
  };
}

function billRow() {
  const number = el('span', { class: 'number' });
  const says = el('span', { class: 'customer' });
  const state = el('span', { class: 'kind' });
  const day = el('time', { class: 'amount' });
  return {
    node: el('li', {}, number, says, state, day),
    update(bill) {
      setText(number, bill.number || words.noNumber);
      setText(says, said(bill.sentence) ?? '');
      setText(state, words.billStates[bill.state] ?? bill.state);
      day.dateTime = bill.day;
      setText(day, dayOf(new Date(`${bill.day}T12:00`)));
    },
    tick() {},
  };
}
