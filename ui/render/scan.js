// One line on the last comparison of every invoice with RainTek, and what it found that is not right yet.

import { el, keyed, setHidden, setText } from '../dom.js';
import { ago, count } from '../format.js';
import { words } from '../words.js';

export function createScan(root) {
  const says = el('span');
  const when = el('span', { class: 'note' });
  const bar = el('progress', { 'aria-label': words.scan, hidden: true });
  const rows = el('ul', { class: 'lines' });
  root.setAttribute('aria-label', words.scan);
  root.append(el('p', { class: 'scan-says' }, says, when), bar, rows);
  const list = keyed(rows, findingRow);
  let scan = null;

  return {
    update(snapshot, now) {
      scan = snapshot.scan ?? null;
      list.set(scan?.findings ?? [], (finding) => `${finding.kind} ${finding.number} ${finding.day}`);
      this.tick(now);
    },
    tick(now) {
      const { running = null, last = null, findings = [] } = scan ?? {};
      setHidden(root, !running && !last);
      setHidden(bar, !running);
      setHidden(rows, findings.length === 0);
      if (running) {
        bar.max = Math.max(running.total, 1);
        bar.value = running.done;
        setText(says, words.scanRuns(count(running.done), count(running.total)));
        setText(when, running.waits ?? '');
      } else if (last) {
        setText(says, last.sentence);
        const right = last.mismatches > 0 && findings.length === 0 ? words.scanRight : '';
        setText(when, [ago(new Date(last.at), now), right].filter(Boolean).join(' · '));
      }
    },
  };
}

function findingRow() {
  const number = el('span', { class: 'number' });
  const says = el('span');
  return {
    node: el('li', {}, number, says),
    update(finding) {
      setText(number, finding.number || '–');
      setText(says, [finding.sentence, finding.details.join('; '), finding.action].filter(Boolean).join(' '));
    },
    tick() {},
  };
}
