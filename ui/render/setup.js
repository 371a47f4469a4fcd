// The first run, in four steps: nothing to type where it can be found, and each can be done later.

import { LONG, LONGEST, get, post } from '../api.js';
import { confirmed } from '../dialog.js';
import { el, setHidden, setText } from '../dom.js';
import { money } from '../format.js';
import { said } from '../sentences.js';
import { words } from '../words.js';

const STEPS = ['raintek', 'billing', 'alerts', 'check'];
/** While something is looked for. */
const LOOK_AGAIN = 1000;

export function createSetup(say) {
  const title = el('h2', { class: 'view-title', text: words.setupTitle, tabindex: '-1' });
  const marks = el('ol', { class: 'steps' });
  const heading = el('h3', { tabindex: '-1' });
  const place = el('div', { class: 'step' });
  const back = el('button', { type: 'button', text: words.setupBack, 'data-do': 'back', click: () => go(at - 1) });
  const later = el('button', { type: 'button', class: 'link', text: words.setupLater, 'data-do': 'later', click: leave });
  const next = el('button', { type: 'button', class: 'primary', text: words.setupNext, 'data-do': 'next', click: () => (at === 3 ? start() : go(at + 1)) });
  const bodies = { raintek: raintekStep(say, look), billing: billingStep(say, look), alerts: alertsStep(say, look), check: checkStep(say, look) };
  let at = 0;
  let state = null;
  let timer = 0;
  let open = false;

  return {
    node: el('div', { class: 'sheet setup' }, title, el('p', { class: 'note', text: words.setupIntro }), marks, heading, place, el('div', { class: 'buttons' }, later, back, next)),
    async show() {
      open = true;
      await look();
      const step = STEPS.indexOf(state?.step);
      go(step < 0 ? 0 : step, false);
    },
    update() {},
    tick(_now, stale) {
      next.disabled = Boolean(stale);
    },
  };

  function go(step, focus = true) {
    at = Math.min(Math.max(step, 0), STEPS.length - 1);
    const name = STEPS[at];
    marks.replaceChildren(...STEPS.map((one, number) => {
      const where = number < at ? 'done' : number === at ? 'current' : 'open';
      return el('li', { class: where, 'aria-current': where === 'current' ? 'step' : false }, el('span', { class: 'mark', 'aria-hidden': 'true', text: where === 'done' ? '✓' : String(number + 1) }),
        el('span', { text: words.setupSteps[one] }), el('span', { class: 'unseen', text: words.setupState[where] }));
    }));
    setText(heading, words.setupStep(at + 1, words.setupSteps[name]));
    place.replaceChildren(bodies[name].node);
    bodies[name].open?.(state);
    if (state) bodies[name].update?.(state);
    setHidden(back, at === 0);
    setText(next, at === 3 ? words.setupStart : words.setupNext);
    point();
    if (focus) heading.focus();
  }

  /** One button is the one to press: before a database was chosen that is the one beside it. */
  function point() {
    next.classList.toggle('primary', at > 0 || Boolean(state?.raintek));
  }

  /** How far everything is; again and again while something is looked for. */
  async function look() {
    clearTimeout(timer);
    const { ok, body } = await get('/api/setup');
    if (ok) state = body;
    if (ok) bodies[STEPS[at]].update?.(state);
    point();
    open = location.hash === '#setup';
    if (open) timer = setTimeout(look, state?.searching || state?.doing ? LOOK_AGAIN : LOOK_AGAIN * 2);
  }

  async function start() {
    next.disabled = true;
    const answer = await post('/api/setup/start', {}, LONGEST);
    next.disabled = false;
    say(answer.ok ? answer.sentence ?? words.setupDone : answer.sentence ?? words.noAnswer, answer.ok);
    if (answer.ok) leave();
  }

  function leave() {
    location.hash = '#today';
  }
}

function raintekStep(say, look) {
  const told = el('p', { class: 'told', role: 'status' });
  const bar = el('progress', { 'aria-label': words.setupFind, hidden: true });
  const find = el('button', { type: 'button', text: words.setupFind, 'data-do': 'find', click: () => search() });
  const list = el('ul', { class: 'candidates' });
  const inputs = Object.fromEntries(Object.entries(words.setupFields).map(([name, text]) => {
    const input = el('input', { id: `setup-${name}`, type: name === 'password' ? 'password' : 'text', autocomplete: 'off', spellcheck: 'false', inputmode: name === 'port' ? 'numeric' : false });
    return [name, { input, row: el('div', { class: 'field' }, el('label', { for: `setup-${name}`, text }), input) }];
  }));
  const refused = el('p', { class: 'refused', role: 'alert', hidden: true });
  const form = el('form', { novalidate: true, submit: byHand }, ...Object.values(inputs).map((one) => one.row), refused,
    el('div', { class: 'buttons' }, el('button', { type: 'submit', text: words.setupTry, 'data-do': 'try' })));
  const hand = el('details', {}, el('summary', { text: words.setupByHand }), form);
  // Asked for, and whether what is heard since then is its answer.
  let asked = false;
  let searched = false;
  let shown = '';

  return {
    node: el('div', {}, told, bar, list, el('div', { class: 'buttons' }, find), hand),
    open(state) {
      if (!asked && state && !state.raintek && !state.searching && !(state.candidates?.length > 0)) search();
    },
    update(state) {
      const candidates = state.candidates ?? [];
      find.disabled = Boolean(state.searching);
      setHidden(bar, !state.searching);
      if (state.progress?.of) [bar.max, bar.value] = [state.progress.of, state.progress.done];
      else bar.removeAttribute('value');
      const calm = state.raintek ? '' : candidates.length > 0 ? words.setupFound : searched ? said(state.sentence) || words.setupNotFound : '';
      setText(told, state.searching ? said(state.progress?.sentence ?? words.setupFinding) : calm);
      if (searched && !state.searching && candidates.length === 0 && !state.raintek) hand.open = true;
      const text = JSON.stringify([candidates, state.raintek]);
      if (text === shown) return;
      shown = text;
      const chosen = state.raintek && !candidates.some((one) => same(one, state.raintek)) ? [{ ...state.raintek, ok: true }] : [];
      list.replaceChildren(...[...chosen, ...candidates].map((one) => candidate(one, state.raintek)));
    },
  };

  function candidate(one, chosen) {
    const mine = same(one, chosen);
    const name = one.label ?? `${one.database} – ${one.server}`;
    const use = el('button', { type: 'button', class: mine ? '' : 'primary', text: mine ? words.setupUsed : words.setupUse, disabled: mine || !one.ok, 'data-do': 'use', click: () => ask(use, { id: one.id }) });
    const tcp = el('button', { type: 'button', text: words.setupTcp, 'data-do': 'tcp', async click() {
      const told = await post('/api/setup/tcp', { id: one.id, confirmed: false }, LONGEST);
      if (!told.ok) return say(told.sentence ?? words.noAnswer, false);
      if (await confirmed(said(told.sentence ?? words.setupTcpSure), words.setupTcp)) await ask(tcp, { id: one.id, confirmed: true }, '/api/setup/tcp');
      return undefined;
    } });
    return el('li', { class: mine ? 'chosen' : '' },
      el('div', {}, el('p', { class: 'name', text: name }), el('p', { class: one.ok ? 'note' : 'refused', text: said(one.sentence ?? '') }),
        ...(one.found_by ? [el('p', { class: 'note', text: words.setupFoundBy(one.found_by) })] : [])),
      el('div', { class: 'buttons' }, ...(one.can_switch_tcp_on ? [tcp] : []), use));
  }

  async function search() {
    [asked, searched] = [true, false];
    const answer = await post('/api/setup/find');
    if (!answer.ok) say(answer.sentence ?? words.noAnswer, false);
    searched = true;
    await look();
  }

  async function ask(button, what, path = '/api/setup/use') {
    button.disabled = true;
    const answer = await post(path, what, LONGEST);
    button.disabled = false;
    say(answer.sentence ?? words.noAnswer, answer.ok && answer.body.ok !== false);
    await look();
  }

  async function byHand(event) {
    event.preventDefault();
    const port = inputs.port.input.value.trim();
    const bad = port !== '' && !/^\d+$/.test(port);
    refuse(bad ? words.badNumber : null);
    if (bad) return inputs.port.input.focus();
    const value = (name) => inputs[name].input.value.trim();
    const answer = await post('/api/setup/use', { server: value('server'), port: Number(port || 0), database: value('database'), user: value('user'), password: inputs.password.input.value }, LONGEST);
    const good = answer.ok && answer.body.ok !== false;
    refuse(good ? null : answer.sentence ?? words.noAnswer);
    if (good) say(answer.sentence ?? words.saved);
    await look();
    return undefined;
  }

  function refuse(sentence) {
    setText(refused, said(sentence ?? ''));
    setHidden(refused, !sentence);
  }
}

/** Whether it is the database in use: that one is tried again when it is chosen, and has a name of its own from there on. */
function same(one, chosen) {
  return Boolean(chosen) && one.server === chosen.server && one.database === chosen.database;
}

function billingStep(say, look) {
  const told = el('p', { role: 'status' });
  const begin = el('button', { type: 'button', text: words.setupAppStart, 'data-do': 'app', hidden: true, click: () => run() });
  const phones = el('p', { class: 'note', text: words.setupPhones });
  const list = el('ul', { class: 'addresses' });
  let shown = '';
  let asked = false;
  return {
    node: el('div', {}, told, el('div', { class: 'buttons' }, begin), phones, list),
    open(state) {
      // Whoever comes here wants it to run.
      if (!asked && state && !state.billing?.running) run();
    },
    update({ billing, doing }) {
      const calm = billing?.running ? words.setupAppRuns : said(billing?.sentence) || words.setupAppNot;
      setText(told, begin.disabled ? said(doing) || words.setupAppStarting : calm);
      setHidden(begin, Boolean(billing?.running));
      const lan = billing?.running ? billing.lan ?? [] : [];
      setHidden(phones, lan.length === 0);
      if (lan.join() === shown) return;
      shown = lan.join();
      list.replaceChildren(...lan.map((url) => el('li', {}, el('img', { src: `/api/setup/qr.svg?url=${encodeURIComponent(url)}`, alt: words.setupQr(url), width: '160', height: '160' }), el('code', { text: url }))));
    },
  };

  async function run() {
    asked = true;
    begin.disabled = true;
    setText(told, words.setupAppStarting);
    look();
    const answer = await post('/api/setup/billing', {}, LONGEST);
    begin.disabled = false;
    if (!answer.ok || answer.body.ok === false) say(answer.sentence ?? words.noAnswer, false);
    await look();
  }
}

function alertsStep(say, look) {
  const input = el('input', { id: 'setup-token', type: 'password', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'setup-token-help' });
  const refused = el('p', { class: 'refused', role: 'alert', hidden: true });
  const use = el('button', { type: 'submit', text: words.setupTokenUse, 'data-do': 'token' });
  const form = el('form', { class: 'field', novalidate: true, submit: save }, el('label', { for: 'setup-token', text: words.setupToken }), el('p', { class: 'note', id: 'setup-token-help', text: words.setupTokenHelp }), input, refused,
    el('div', { class: 'buttons' }, use));
  const told = el('p', { class: 'told', role: 'status' });
  const test = el('button', { type: 'button', text: words.testTelegram, 'data-do': 'telegram_test', hidden: true, click: send });
  let bot = '';
  return {
    node: el('div', {}, el('p', { text: words.setupAlertsIntro }), form, told, el('div', { class: 'buttons' }, test)),
    update({ telegram }) {
      bot = telegram?.bot ?? bot;
      const chat = telegram?.chat;
      setText(told, chat ? words.setupChat(chat) : telegram?.waiting_for_hi ? words.setupHi(bot) : '');
      setHidden(test, !chat);
    },
  };

  async function save(event) {
    event.preventDefault();
    use.disabled = true;
    const answer = await post('/api/setup/telegram', { token: input.value.trim() }, LONG);
    use.disabled = false;
    const good = answer.ok && answer.body.ok !== false;
    setText(refused, good ? '' : said(answer.sentence ?? words.noAnswer));
    setHidden(refused, good);
    if (good) {
      bot = answer.body.bot ?? bot;
      input.value = '';
    } else input.focus();
    await look();
  }

  async function send() {
    test.disabled = true;
    const answer = await post('/api/setup/telegram/test', {}, LONG);
    test.disabled = false;
    say(answer.sentence ?? words.noAnswer, answer.ok && answer.body.ok !== false);
  }
}

function checkStep(say, look) {
  const ask = el('button', { type: 'button', text: words.setupCheck, 'data-do': 'check', click: run });
  const told = el('p', { class: 'told', role: 'status' });
  const list = el('ul', { class: 'checks' });
  return {
    node: el('div', {}, el('p', { text: words.setupCheckIntro }), el('div', { class: 'buttons' }, ask), told, list),
    update({ doing }) {
      if (ask.disabled && doing) setText(told, said(doing));
    },
  };

  async function run() {
    ask.disabled = true;
    told.dataset.tone = 'good';
    setText(told, words.asking);
    list.replaceChildren();
    look();
    const answer = await post('/api/setup/check', {}, LONGEST);
    ask.disabled = false;
    const good = answer.ok && answer.body.ok !== false;
    const invoices = answer.body?.invoices ?? [];
    told.dataset.tone = good ? 'good' : 'bad';
    setText(told, good && invoices.length === 0 ? words.setupNoInvoices : said(answer.sentence ?? words.noAnswer));
    if (!good) say(answer.sentence ?? words.noAnswer, false);
    list.replaceChildren(...invoices.map(({ number, customer, amount, words: lines = [], rows = [] }) => el('li', {},
      el('p', { class: 'name', text: [number, customer || words.walkIn, money(amount) ?? ''].filter(Boolean).join(' · ') }),
      ...lines.map((line) => el('p', { text: said(line) })),
      ...(rows.length > 0 ? [el('details', {}, el('summary', { text: words.detailRows }), el('pre', { tabindex: '0', text: rows.map(text).join('\n') }))] : []))));
  }
}

/** `InvoiceInfo: GrandTotal 106.00, InvoiceNo GST-1`, without what is only there so that nothing is NULL. */
function text({ table, columns }) {
  const says = columns.filter(([, value]) => !['', '""', '0', '0.00', 'no', 'nothing'].includes(value));
  return `${table}: ${says.map(([name, value]) => `${name} ${value}`).join(', ')}`;
}
