// Settings: a form for each group, saved as a whole or not at all, and refused in words beside the field.

import { LONG, get, post } from '../api.js';
import { confirmed } from '../dialog.js';
import { el, setHidden, setText } from '../dom.js';
import { count } from '../format.js';
import { said } from '../sentences.js';
import { words } from '../words.js';
import { createField } from './fields.js';

/** What can be tried before it is saved. */
const TESTS = { raintek: 'raintek', billing: 'billing', telegram: 'telegram' };
/** Whether this changed, the page is put together anew. */
const OF_THE_PAGE = ['desktop.language', 'desktop.theme'];

export function createSettings(command, say) {
  const intro = el('p', { class: 'note' });
  const restartWords = el('p');
  const restart = el('div', { class: 'restart', role: 'status', hidden: true }, restartWords,
    el('button', { type: 'button', text: words.restart, 'data-do': 'restart', click: askRestart }));
  const place = el('div', { class: 'groups' });
  const trial = createGoLive(command);
  let opened = false;
  let labels = new Map();

  return {
    node: el('div', { class: 'sheet settings' }, el('h2', { class: 'view-title', text: words.nav.settings }), intro, restart, place),
    show() {
      if (!opened) load();
    },
    update: (snapshot) => trial.update(snapshot),
    tick: (_now, stale) => trial.tick(stale),
  };

  async function load() {
    const { ok, body } = await get('/api/settings');
    opened = ok;
    setText(intro, ok ? `${words.settingsIntro} ${words.settingsFile(body.file)}` : words.settingsGone);
    labels = new Map();
    place.replaceChildren(...(ok ? body.groups.map(group) : []));
    needRestart(ok ? body.restart_needed : []);
  }

  function group({ id, fields: all }) {
    const [title, help] = words.groups[id] ?? [id, ''];
    const told = el('p', { class: 'told', role: 'status' });
    const save = el('button', { type: 'submit', class: 'primary', text: words.save, 'data-do': 'save' });
    const fields = all.map((field) => createField(field, () => setText(told, '')));
    for (const field of fields) labels.set(field.key, field.label);
    const buttons = el('div', { class: 'buttons' }, told, ...(id in TESTS ? [tester(id, fields, told)] : []), save);
    const parts = [el('legend', { text: title }), el('p', { class: 'note', text: help }), el('div', { class: 'fields' }, ...fields.map((field) => field.node)), buttons];
    if (id === 'trial') parts.push(trial.node);
    return el('form', { class: 'group', 'data-group': id, novalidate: true, async submit(event) {
      event.preventDefault();
      save.disabled = true;
      await saveAll(id, fields, told);
      save.disabled = false;
    } }, el('fieldset', {}, ...parts));
  }

  function changes(fields) {
    return Object.fromEntries(fields.map((field) => [field.key, field.change()]).filter(([, value]) => value !== undefined));
  }

  async function saveAll(id, fields, told) {
    const bad = fields.find((field) => field.isWrong());
    if (bad) return bad.focus();
    for (const field of fields) field.refuse(null);
    const wanted = changes(fields);
    if (Object.keys(wanted).length === 0) return tell(told, words.nothingChanged, true);
    // Another engine takes over before it answers.
    const answer = await post('/api/settings', { changes: wanted }, LONG);
    if (!answer.ok) {
      const field = fields.find((one) => one.key === answer.field);
      if (field) {
        field.refuse(answer.sentence);
        field.focus();
      } else tell(told, answer.sentence ?? words.noAnswer, false);
      return undefined;
    }
    if (OF_THE_PAGE.some((key) => key in wanted)) return location.reload();
    say(answer.sentence ?? words.saved);
    await load();
    // The form was made anew: whoever works by keyboard goes on where they were.
    place.querySelector(`[data-group="${CSS.escape(id)}"] [data-do=save]`)?.focus({ preventScroll: true });
    return undefined;
  }

  function tester(what, fields, told) {
    const text = what === 'telegram' ? words.testTelegram : words.test;
    const button = el('button', { type: 'button', text, 'data-do': 'test', async click() {
      button.disabled = true;
      tell(told, words.testing, true);
      const answer = await post('/api/settings/test', { what, changes: changes(fields) }, LONG);
      const field = fields.find((one) => one.key === answer.field);
      field?.refuse(answer.sentence);
      tell(told, answer.sentence ?? words.noAnswer, answer.ok && answer.body.ok);
      button.disabled = false;
    } });
    return button;
  }

  function tell(place_, sentence, good) {
    place_.dataset.tone = good ? 'good' : 'bad';
    setText(place_, said(sentence));
  }

  function needRestart(keys) {
    setText(restartWords, words.restartNeeded(keys.map((key) => labels.get(key) ?? key).join(', ')));
    setHidden(restart, keys.length === 0);
  }

  async function askRestart() {
    const answer = await post('/api/restart');
    say(answer.ok ? answer.sentence ?? words.restarting : answer.sentence ?? words.noAnswer, answer.ok);
    opened = false;
  }
}

/** Ending the trial: first what that would do, then, asked once more, doing it. */
function createGoLive(command) {
  const doing = el('p');
  const bar = el('progress', { 'aria-label': words.goLive });
  const work = el('div', { class: 'work', role: 'status', hidden: true }, doing, bar);
  const lines = el('ul', { class: 'answer', role: 'status', hidden: true });
  const ask = el('button', { type: 'button', text: words.goLiveAsk, 'data-do': 'go_live_ask', click: () => command({ command: 'go_live', yes: false }) });
  const go = el('button', { type: 'button', text: words.goLive, 'data-do': 'go_live', async click() {
    if (await confirmed(words.goLiveSure, words.goLive)) await command({ command: 'go_live', yes: true });
  } });
  const node = el('div', { class: 'go-live', hidden: true }, work, lines, el('div', { class: 'buttons' }, ask, go));
  return {
    node,
    update({ trial }) {
      setHidden(node, !trial?.on && !trial?.work);
      const { work: now = null, asked = 0, answered = 0, answer = null } = trial ?? {};
      setHidden(work, !now);
      if (now) {
        const far = now.progress ? words.productsOf(count(now.progress.done), count(now.progress.total)) : '';
        setText(doing, [said(now.doing), far, said(now.sentence)].filter(Boolean).join(' · '));
        if (now.progress) [bar.max, bar.value] = [Math.max(now.progress.total, 1), now.progress.done];
        else bar.removeAttribute('value');
      }
      const told = asked > 0 && answered >= asked ? answer?.lines ?? [] : [];
      lines.dataset.tone = answer?.ok ? 'good' : 'bad';
      if (lines.textContent !== told.map(said).join('')) lines.replaceChildren(...told.map((line) => el('li', { text: said(line) })));
      setHidden(lines, told.length === 0);
    },
    tick(stale) {
      for (const one of [ask, go]) one.disabled = Boolean(stale);
    },
  };
}
