// Backups: what there is, whether it was proven, where it lies; and making one now.

import { confirmed } from '../dialog.js';
import { el, keyed, setHidden, setText } from '../dom.js';
import { age, ago, exact, size } from '../format.js';
import { said } from '../sentences.js';
import { words } from '../words.js';

export function createBackups(command) {
  const buttons = ['now', 'verify', 'drill'].map((task) => ask(task, { now: words.backupNow, verify: words.backupVerify, drill: words.backupDrill }[task]));
  buttons[0].classList.add('primary');
  const accept = ask('accept_schema', words.backupAccept, words.backupAcceptSure);
  const head = el('div', { class: 'list-head' }, el('h2', { class: 'view-title', text: words.nav.backups }), el('div', { class: 'buttons' }, ...[...buttons].reverse()));

  const doing = el('p', {});
  const bar = el('progress', { max: '100', 'aria-label': words.nav.backups });
  const work = el('div', { class: 'work', role: 'status' }, doing, bar);
  const trouble = el('p', { class: 'trouble' });
  const hold = el('p', { class: 'trouble' });
  const answer = el('ul', { class: 'answer', role: 'status' });
  const facts = el('dl', { class: 'facts' });
  const columns = Object.values(words.backupColumns).map((text) => el('th', { scope: 'col', text }));
  const rows = el('tbody');
  const table = el('table', { class: 'files' }, el('thead', {}, el('tr', {}, ...columns)), rows);
  const empty = el('div', { class: 'empty' }, el('p', { text: words.emptyBackups }), el('p', { text: words.emptyBackupsMore }));
  const list = keyed(rows, fileRow);
  let backups = null;

  return {
    node: el('div', { class: 'sheet' }, head, work, trouble, el('div', { class: 'held-tables' }, hold, accept), answer, facts, table, empty),
    update(snapshot, now) {
      backups = snapshot.backups;
      list.set(backups.files, (made) => made.file);
      list.tick(now);
      setText(trouble, said(backups.sentence) ?? '');
      setHidden(trouble, !backups.sentence);
      setText(hold, said(backups.schema_hold) ?? '');
      setHidden(hold, !backups.schema_hold);
      setHidden(accept, !backups.schema_hold);
      const lines = backups.asked > 0 && backups.answered >= backups.asked ? backups.answer?.lines ?? [] : [];
      answer.dataset.tone = backups.answer?.ok ? 'good' : 'bad';
      if (answer.textContent !== lines.map(said).join('')) answer.replaceChildren(...lines.map((line) => el('li', { text: said(line) })));
      setHidden(answer, lines.length === 0);
      setHidden(table, backups.files.length === 0);
      setHidden(empty, backups.files.length > 0);
      setText(empty.firstChild, backups.enabled ? words.emptyBackups : words.backupOff);
      this.tick(now);
    },
    tick(now, stale) {
      if (!backups) return;
      const { running, enabled, folder, last_ok: last, restorable } = backups;
      setHidden(work, !running);
      if (running) {
        const percent = running.percent == null ? '' : words.backupPercent(running.percent);
        setText(doing, [said(running.doing), percent, ago(new Date(running.since), now)].filter(Boolean).join(' · '));
        if (running.percent == null) bar.removeAttribute('value');
        else bar.value = running.percent;
      }
      for (const one of buttons) one.disabled = stale || !enabled || Boolean(running) || one.dataset.asking === 'yes';
      accept.disabled = Boolean(stale);
      const told = [
        [words.backupFolder, folder],
        [words.backupLastOk, last ? age(new Date(last), now) : '–'],
        [words.backupRestorable, restorable ? age(new Date(restorable), now) : '–'],
      ];
      const text = told.flat().join('\n');
      if (facts.dataset.text !== text) facts.replaceChildren(...told.flatMap(([name, value]) => [el('dt', { text: name }), el('dd', { text: value })]));
      facts.dataset.text = text;
      list.tick(now);
    },
  };

  function ask(task, text, question = null) {
    const one = el('button', { type: 'button', text, 'data-do': `backup_${task}`, async click() {
      if (question && !(await confirmed(question, text))) return;
      one.dataset.asking = 'yes';
      one.disabled = true;
      await command({ command: 'backup', task });
      one.dataset.asking = 'no';
    } });
    return one;
  }
}

function fileRow() {
  const what = el('td');
  const file = el('td', { class: 'file' });
  const bytes = el('td', { class: 'figure' });
  const made = el('td');
  const proof = el('td');
  let at = null;
  return {
    node: el('tr', {}, what, file, bytes, made, proof),
    update(one) {
      at = new Date(one.at);
      setText(what, words.backupPart[one.part] ?? one.part);
      setText(file, one.file.split(/[\\/]/).at(-1));
      file.title = one.file;
      setText(bytes, size(one.bytes));
      made.title = exact(at);
      setText(proof, one.proof ? words.backupProof[one.proof] ?? one.proof : words.backupUnproven);
      proof.className = one.proof ? 'proven' : 'unproven';
    },
    tick(now) {
      setText(made, age(at, now));
    },
  };
}
