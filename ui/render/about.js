// What ShopSync is, where its files lie, what it is made of; and what whoever helps from afar is to be sent.

import { IN_WINDOW, LONG, get, post } from '../api.js';
import { el, setHidden, setText } from '../dom.js';
import { count, exact, size } from '../format.js';
import { said } from '../sentences.js';
import { words } from '../words.js';

/** So much of a file is shown; saved is all of it. */
const SHOWN = 20_000;

export function createAbout(say) {
  const version = el('p', { class: 'version' });
  const runs = el('p', { class: 'note' });
  const facts = el('dl', { class: 'facts' });
  const licences = el('ul', { class: 'licences' });
  const others = el('p', { class: 'note' });
  const fold = el('details', { class: 'licence-list' }, el('summary', { text: words.licences }), el('p', { text: words.licencesOwn }), others, licences);
  const diagnostics = createDiagnostics(say);
  // Nothing is to be clicked before what stands above it stood there: it would be moved away under the mouse.
  const rest = el('div', { hidden: true }, facts, diagnostics.node, fold);
  let read = false;
  let answered = false;
  let heard = false;

  return {
    node: el('div', { class: 'sheet about' },
      el('h2', { class: 'view-title', text: words.about }), version, runs, rest),
    show() {
      if (!read) load();
    },
    update(snapshot) {
      setText(version, words.aboutVersion(snapshot.version));
      setText(runs, words.aboutRuns(exact(new Date(snapshot.started))));
      heard = true;
      setHidden(rest, !answered);
    },
    tick() {},
  };

  async function load() {
    answered = false;
    setHidden(rest, true);
    const { ok, body } = await get('/api/about');
    read = ok;
    if (ok) fill(body);
    answered = true;
    setHidden(rest, !heard);
  }

  function fill(body) {
    const told = [[words.aboutPocketbase, body.pocketbase ?? words.aboutElsewhere], [words.aboutData, body.data], [words.aboutLogs, body.logs]].filter(([, value]) => value);
    facts.replaceChildren(...told.flatMap(([name, value]) => [el('dt', { text: name }), el('dd', { text: value })]));
    setText(others, words.licencesOthers(count(body.licences.length)));
    licences.replaceChildren(...body.licences.map(({ name, version: of, licence }) => el('li', {}, el('span', { text: `${name} ${of}` }), el('span', { class: 'note', text: licence }))));
  }
}

/** Everything is seen before it is saved. */
function createDiagnostics(say) {
  const show = el('button', { type: 'button', text: words.diagnosticsShow, 'data-do': 'diagnostics', click: load });
  const save = el('button', { type: 'button', class: 'primary', text: words.diagnosticsSave, 'data-do': 'diagnostics_save', hidden: true, click: keep });
  const told = el('p', { class: 'note' });
  const files = el('div', { class: 'diagnostic-files' });
  return {
    node: el('section', { class: 'diagnostics' }, el('h3', { text: words.diagnostics }), el('p', { class: 'note', text: words.diagnosticsIntro }),
      el('div', { class: 'buttons' }, show, save), told, files),
  };

  async function load() {
    show.disabled = true;
    const { ok, body } = await get('/api/diagnostics', LONG);
    show.disabled = false;
    setText(told, ok ? said(body.sentence ?? '') : words.noAnswer);
    setHidden(save, !ok);
    files.replaceChildren(...(ok ? body.files.map(file) : []));
  }

  function file({ name, text, size: bytes, truncated }) {
    const cut = truncated || text.length > SHOWN;
    return el('details', {}, el('summary', { text: `${name} · ${size(bytes)}` }),
      ...(cut ? [el('p', { class: 'note', text: words.diagnosticsCut })] : []),
      el('pre', { tabindex: '0', text: text.slice(0, SHOWN) }));
  }

  async function keep() {
    if (!IN_WINDOW) {
      el('a', { href: '/api/diagnostics.zip', download: '' }).click();
      return;
    }
    const answer = await post('/api/diagnostics/save', {}, LONG);
    const where = answer.body?.path ? words.exported(answer.body.path) : null;
    say(answer.ok ? where ?? answer.sentence : answer.sentence ?? words.noAnswer, answer.ok);
  }
}
