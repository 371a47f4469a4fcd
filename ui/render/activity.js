// The journal, newest first: by kind, further back, and as a file.

import { IN_WINDOW, get, post } from '../api.js';
import { el, keyed, setHidden, setText } from '../dom.js';
import { exact, moment } from '../format.js';
import { said } from '../sentences.js';
import { words } from '../words.js';

const PAGE = 100;

export function createActivity(say) {
  const options = Object.entries(words.kinds).map(([value, text]) => el('option', { value, text }));
  const pick = el('select', { change: () => read() }, ...options);
  const exportIt = el('button', { type: 'button', text: words.exportIt, 'data-do': 'export', click: save });
  const head = el('div', { class: 'list-head' }, el('label', { class: 'note' }, el('span', { text: words.kind }), pick), exportIt);
  const rows = el('ul', { class: 'lines' });
  const empty = el('div', { class: 'empty' }, el('p'), el('p'));
  const older = el('button', { type: 'button', text: words.older, 'data-do': 'older', hidden: true, click: () => readOlder() });
  const list = keyed(rows, lineRow);
  let lines = [];
  let newest = null;
  let turn = 0;

  return {
    node: el('div', { class: 'sheet' }, el('h2', { class: 'view-title', text: words.nav.activity }), head, rows, empty, el('p', { class: 'older' }, older)),
    show: () => read(),
    update(snapshot) {
      const id = snapshot.activity[0]?.id ?? null;
      if (id === newest) return;
      newest = id;
      read();
    },
    tick: (now) => list.tick(now),
  };

  /** From the newest on, as far back as is shown already. */
  async function read() {
    const mine = ++turn;
    const { ok, body } = await get(`/api/journal?kind=${encodeURIComponent(pick.value)}&limit=${Math.min(Math.max(lines.length, PAGE), 500)}`);
    if (mine !== turn) return;
    if (ok) lines = body;
    draw(ok, ok && body.length >= PAGE);
  }

  async function readOlder() {
    const mine = ++turn;
    const { ok, body } = await get(`/api/journal?kind=${encodeURIComponent(pick.value)}&before=${lines.at(-1)?.id ?? 0}&limit=${PAGE}`);
    if (mine !== turn) return;
    if (ok) lines = [...lines, ...body];
    draw(ok, ok && body.length >= PAGE);
  }

  function draw(ok, more) {
    list.set(lines, (line) => String(line.id));
    list.tick(new Date());
    setText(empty.firstChild, ok ? (pick.value === '' ? words.emptyActivity : words.emptyKind) : words.cannotShow);
    setHidden(empty, ok && lines.length > 0);
    setHidden(older, !more);
  }

  async function save() {
    const kind = encodeURIComponent(pick.value);
    if (!IN_WINDOW) {
      el('a', { href: `/api/journal.csv?kind=${kind}`, download: '' }).click();
      return;
    }
    const answer = await post(`/api/journal/save?kind=${kind}`);
    say(answer.ok ? words.exported(answer.body.path) : answer.sentence ?? words.noAnswer, answer.ok);
  }
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
      setText(says, said(line.sentence));
    },
    tick(now) {
      setText(when, moment(at, now));
    },
  };
}
