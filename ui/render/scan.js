// One line on the last comparison of every invoice with RainTek; what it found stands under Problems.

import { el, setHidden, setText } from '../dom.js';
import { ago, count } from '../format.js';
import { said } from '../sentences.js';
import { words } from '../words.js';

export function createScan(root) {
  const says = el('span');
  const when = el('span', { class: 'note' });
  const open = el('a', { href: '#problems', hidden: true });
  const bar = el('progress', { 'aria-label': words.scan, hidden: true });
  root.setAttribute('aria-label', words.scan);
  root.append(el('p', { class: 'scan-says' }, says, when, open), bar);
  let scan = null;

  return {
    update(snapshot, now) {
      scan = snapshot.scan ?? null;
      this.tick(now);
    },
    tick(now) {
      const { running = null, last = null, findings = [] } = scan ?? {};
      setHidden(root, !running && !last);
      setHidden(bar, !running);
      setHidden(open, findings.length === 0);
      setText(open, words.scanOpen(findings.length));
      if (running) {
        bar.max = Math.max(running.total, 1);
        bar.value = running.done;
        setText(says, words.scanRuns(count(running.done), count(running.total)));
        setText(when, said(running.waits ?? ''));
      } else if (last) {
        setText(says, said(last.sentence));
        const right = last.mismatches > 0 && findings.length === 0 ? words.scanRight : '';
        setText(when, [ago(new Date(last.at), now), right].filter(Boolean).join(' · '));
      }
    },
  };
}
