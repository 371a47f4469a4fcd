// What is open: since when, what was tried, what happens next, and the one thing to do.

import { confirmed } from '../dialog.js';
import { el, keyed, setHidden, setText } from '../dom.js';
import { count, moment, until } from '../format.js';
import { said } from '../sentences.js';
import { words } from '../words.js';

/** Of these kinds a bill can be written again. */
const REWRITABLE = ['edited', 'gone'];

export function createProblems(command) {
  const rows = el('ul', { class: 'problems' });
  const empty = el('div', { class: 'empty' }, el('p', { text: words.emptyProblems }), el('p', { text: words.emptyProblemsMore }));
  const list = keyed(rows, () => problemRow(command));
  return {
    node: el('div', { class: 'sheet' }, el('h2', { class: 'view-title', text: words.nav.problems }), rows, empty),
    /** How many are open. */
    open: (snapshot) => problems(snapshot).length,
    update(snapshot, now) {
      const open = problems(snapshot);
      list.set(open, (problem) => problem.key);
      list.tick(now);
      setText(empty.firstChild, snapshot.state === 'starting' ? words.emptyStarting : words.emptyProblems);
      setHidden(empty, open.length > 0);
    },
    tick: (now) => list.tick(now),
  };
}

function problems(snapshot) {
  const { raintek, billing, products, from_raintek: bills, backups, scan, trial, counts, items } = snapshot;
  const open = [];
  const add = (key, about, sentence, more = {}) => {
    if (sentence) open.push({ key, about, sentence, ...more });
  };
  for (const [side, link] of Object.entries({ raintek, billing })) {
    if (!link.connected && link.since) {
      add(side, words.problemLink[side], link.sentence ?? words.notConnected, { since: link.since, next: link.next_try, detail: link.detail });
    }
    for (const [at, problem] of (link.problems ?? []).entries()) add(`${side} ${at}`, words.problemSettings, problem);
  }
  if (counts.held > 0) {
    const held = items.filter((item) => item.state === 'held');
    const since = held.map((item) => item.first_failed ?? item.first_seen).sort()[0];
    add('held', words.tabs.held, words.problemHeld(counts.held), { since, action: words.problemHeldNext, go: '#held' });
  }
  const failing = items.filter((item) => item.state !== 'held' && item.first_failed);
  if (failing.length > 0 && raintek.connected && billing.connected) {
    const [first] = failing;
    const { first_failed: since, tries, next_try: next, detail } = first;
    add('failing', words.tabs.waiting, `${first.number}: ${said(first.sentence)}`, { since, tries, next, detail, go: '#waiting' });
  }
  const found = new Set();
  for (const { kind, number, sentence, action, details, day } of scan?.findings ?? []) {
    if (number) found.add(number);
    add(`scan ${kind} ${number} ${day}`, words.problemBills, sentence, { action, detail: details.join('\n'), rewrite: REWRITABLE.includes(kind) && number });
  }
  for (const bill of bills.problems) {
    if (found.has(bill.number)) continue;
    add(`bill ${bill.inv_id} ${bill.number}`, words.problemBills, bill.sentence, { action: bill.action, rewrite: bill.command === 'rewrite' && bill.number });
  }
  add('bills', words.tabs.raintek, bills.sentence);
  add('products', words.problemProducts, products.sentence);
  if (products.problems.length > 0) add('product problems', words.problemProducts, words.productProblems(products.problems.length), { lines: products.problems });
  add('tables', words.problemTables, backups.schema_hold, { go: '#backups' });
  add('backups', words.problemBackups, backups.sentence, { go: '#backups' });
  add('trial', words.problemTrial, trial?.work?.sentence);
  // Whatever the state says that stands nowhere above: a disk, the clock, a look that hangs.
  if (['attention', 'failing'].includes(snapshot.state) && open.length === 0) add('now', words.problemNow, snapshot.sentence);
  return open;
}

function problemRow(command) {
  const about = el('h3');
  const sentence = el('p', { class: 'sentence' });
  const action = el('p', { class: 'action' });
  const when = el('p', { class: 'when' });
  const detail = el('pre');
  const more = el('details', {}, el('summary', { text: words.details }), detail);
  const lines = el('ul', { class: 'lines two' });
  const go = el('a', { class: 'button', text: words.problemShow });
  const rewrite = el('button', { type: 'button', text: words.rewrite, 'data-do': 'rewrite', async click() {
    const number = problem.rewrite;
    if (await confirmed(words.rewriteSure(number), words.rewrite)) await command({ command: 'rewrite', number });
  } });
  const node = el('li', { class: 'problem' }, el('div', {}, about, sentence, action, when, more, lines), el('div', { class: 'do' }, rewrite, go));
  let problem = null;
  return {
    node,
    update(news) {
      problem = news;
      node.dataset.problem = problem.key;
      setText(about, problem.about);
      setText(sentence, said(problem.sentence));
      // Where there is a button for it, nobody needs to be told of a command.
      const advice = problem.rewrite ? '' : said(problem.action ?? '');
      setText(action, advice);
      setHidden(action, advice === '');
      setText(detail, problem.detail ?? '');
      setHidden(more, !problem.detail);
      lines.replaceChildren(...(problem.lines ?? []).map(({ code, sentence: says }) => el('li', {}, el('span', { class: 'number', text: code || words.noCode }), el('span', { text: said(says) }))));
      setHidden(lines, !problem.lines);
      setHidden(go, !problem.go);
      if (problem.go) go.href = problem.go;
      setHidden(rewrite, !problem.rewrite);
    },
    tick(now) {
      const { since, tries, next } = problem;
      const parts = [
        since ? words.problemSince(moment(new Date(since), now)) : '',
        tries ? words.tries(count(tries)) : '',
        next ? words.nextTry(until(new Date(next), now)) : since && !problem.go ? words.nextByItself : '',
      ];
      setText(when, parts.filter(Boolean).join(' · '));
      setHidden(when, when.textContent === '');
    },
  };
}
