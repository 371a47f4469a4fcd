// ShopSync's page in the shop's app: the invoices with their badges, to look at. It writes nothing but the login.
//
// Every read is a question to PocketBase as the signed-in user; an event only says that it is time to ask again. What
// comes from records becomes text and nothing else.

import { ask, el, end, open, prove, signIn } from './{{SESSION}}';

const PAGE = 50;
/** What is asked anew at once; what was shown beyond stays as it was. */
const MOST_ANEW = 500;
const KINDS = ['', 'pending', 'failed', 'synced', 'raintek'];

const WORDS = {
  title: 'Invoices',
  signOut: 'Sign out',
  search: 'Number, customer or amount',
  show: 'Show',
  kinds: { '': 'All', pending: 'Pending', failed: 'Failed', synced: 'Synced', raintek: 'RainTek' },
  none: {
    '': 'There are no invoices to show.',
    pending: 'No invoice is pending.',
    failed: 'No invoice has failed.',
    synced: 'No invoice is in RainTek yet.',
    raintek: 'There is no invoice that was billed in RainTek.',
  },
  noneFound: (text) => `Nothing found for “${text}”.`,
  more: 'Show more',
  reading: 'Reading…',
  failed: (n) => (n === 1 ? '1 invoice needs a look at the shop’s PC.' : `${n} invoices need a look at the shop’s PC.`),
  pending: (n) => (n === 1 ? '1 is pending and goes by itself.' : `${n} are pending and go by themselves.`),
  calm: 'Nothing is pending, nothing has failed.',
  walkIn: 'Walk-in customer',
  noNumber: 'No number',
  noAmount: 'No amount',
  cancelled: 'Cancelled',
  today: 'Today',
  yesterday: 'Yesterday',
  noDay: 'Without a date',
  away: 'The billing app is not answering. It is asked again by itself.',
  awaySince: (time) => `The billing app is not answering. This is how it was at ${time}.`,
  refused: 'This login may not see the invoices. Please ask the shop’s owner.',
  strange: 'The billing app does not understand ShopSync’s question. Please tell whoever looks after ShopSync.',
};

const clock = new Intl.DateTimeFormat('en-IN', { hour: 'numeric', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-IN', { weekday: 'short', day: 'numeric', month: 'short' });
const dayOfYear = new Intl.DateTimeFormat('en-IN', { day: 'numeric', month: 'short', year: 'numeric' });
const rupees = new Intl.NumberFormat('en-IN', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Opens the page in its place. */
export function start(place) {
  open(place, list);
}

// ---- What is asked for ----

const FIELDS = ['id', '{{invoices.invoice_number}}', '{{invoices.invoice_date}}', '{{invoices.status}}', '{{invoices.grand_total}}',
  '{{invoices.source}}', '{{invoices.sync_status}}', '{{invoices.sync_error}}', 'expand.{{invoices.customer}}.{{customers.name}}'];
const SHOWN = "{{invoices.status}} !~ 'draft' && {{invoices.status}} !~ 'revised'";
const OURS = "{{invoices.source}} !~ 'raintek'";
const OF_KIND = {
  '': SHOWN,
  pending: `{{invoices.sync_status}} = 'pending' && {{invoices.status}} ~ 'completed' && ${OURS}`,
  failed: `{{invoices.sync_status}} = 'failed' && ${SHOWN} && ${OURS}`,
  synced: `{{invoices.sync_status}} = 'synced' && ${SHOWN} && ${OURS}`,
  raintek: `{{invoices.source}} ~ 'raintek' && ${SHOWN}`,
};

function filter(kind, text, customers) {
  if (!text) return OF_KIND[kind];
  // A filter cannot hold every text: backslashes stand for themselves, and nobody looks for one.
  const quoted = `'${text.replaceAll('\\', '').replaceAll("'", "\\'")}'`;
  const found = [`{{invoices.invoice_number}} ~ ${quoted}`];
  if (customers) found.push(`{{invoices.customer}}.{{customers.name}} ~ ${quoted}`);
  const amount = text.replace(/^(₹|rs\.?)/i, '').replace(/[\s,]/g, '');
  if (/^\d{1,12}(\.\d{1,2})?$/.test(amount)) found.push(`{{invoices.grand_total}} = ${amount}`);
  return `${OF_KIND[kind]} && (${found.join(' || ')})`;
}

function invoices(query) {
  return ask(`collections/{{invoices}}/records?${new URLSearchParams(query)}`);
}

async function count(kind) {
  const { totalItems } = await invoices({ filter: OF_KIND[kind], perPage: 1, fields: 'id' });
  return totalItems;
}

// ---- The list ----

function list(place) {
  const title = el('h1', { tabindex: '-1' }, WORDS.title);
  const summary = el('p', { class: 'soft', role: 'status' });
  const leave = el('button', { class: 'link' }, WORDS.signOut);
  const search = el('input', { type: 'search', 'aria-label': WORDS.search, placeholder: WORDS.search, maxlength: '60', enterkeyhint: 'search', spellcheck: 'false' });
  const chips = el('fieldset', { class: 'chips' }, el('legend', {}, WORDS.show), ...KINDS.map(chip));
  const banner = el('p', { class: 'banner', role: 'alert', hidden: '' });
  const days = el('div', { class: 'days' });
  const empty = el('p', { class: 'empty', role: 'status' }, WORDS.reading);
  const more = el('button', { class: 'more', hidden: '' }, WORDS.more);
  place.replaceChildren(
    el('header', {}, title, leave, summary), el('div', { class: 'tools' }, search, chips), banner, days, empty, more);

  let [kind, text, records, isMore, customers] = ['', '', [], false, true];
  let [turn, busy, timer, typing, events, readAt] = [0, false, 0, 0, null, null];
  let answered = null;
  const rows = new Map();

  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => look(kind, search.value.trim()), 250);
  });
  chips.addEventListener('change', ({ target }) => look(target.value, search.value.trim()));
  more.addEventListener('click', () => read(Math.floor(records.length / PAGE) + 1));
  leave.addEventListener('click', () => close(signIn));
  document.addEventListener('visibilitychange', wake);
  addEventListener('pageshow', wake);
  read(1);

  function look(newKind, newText) {
    if (newKind === kind && newText === text) return;
    [kind, text, records, isMore] = [newKind, newText, [], false];
    read(1);
  }

  /** Leaves the list for another. */
  function close(next) {
    document.removeEventListener('visibilitychange', wake);
    removeEventListener('pageshow', wake);
    clearTimeout(timer);
    clearTimeout(typing);
    events?.close();
    events = null;
    turn = -1;
    next(place, list);
  }

  /** Reads one page more, or, as page 1, all that is shown anew. */
  async function read(page) {
    const mine = ++turn;
    busy = true;
    clearTimeout(timer);
    more.disabled = true;
    const size = page > 1 ? PAGE : Math.min(Math.max(Math.ceil(records.length / PAGE), 1) * PAGE, MOST_ANEW);
    try {
      const query = { page, perPage: size, skipTotal: 1, sort: '-{{invoices.invoice_date}},-@rowid', expand: '{{invoices.customer}}', fields: FIELDS.join() };
      const [items, pending, failed] = await Promise.all([found(query), count('pending'), count('failed')]);
      // No rows may also mean that PocketBase takes us for a guest.
      if (readAt === null || items.length === 0) {
        const counts = await prove();
        if (mine !== turn) return;
        if (!counts) return close(end);
      }
      if (mine !== turn) return;
      const known = new Set(items.map((item) => item.id));
      const kept = page > 1 ? records.filter((item) => !known.has(item.id)) : [];
      const last = page === 1 && records.length > size ? records.findIndex((item) => item.id === items.at(-1)?.id) : -1;
      const beyond = last < 0 ? [] : records.slice(last + 1).filter((item) => !known.has(item.id));
      records = [...kept, ...items, ...beyond];
      if (beyond.length === 0) isMore = items.length === size;
      readAt = new Date();
      answered = `${kind} ${text}`;
      say('');
      sum(pending, failed);
      draw();
      follow();
    } catch (error) {
      if (error.status === undefined) throw error;
      if (mine !== turn) return;
      await trouble(error, mine);
    }
    if (mine !== turn) return;
    busy = false;
    timer = setTimeout(() => { if (!document.hidden) read(1); }, banner.hidden ? 60_000 : 5_000);
  }

  async function found(query) {
    try {
      return (await invoices({ ...query, filter: filter(kind, text, customers) })).items;
    } catch (error) {
      // An app without customers, or with none that this login may look through, is searched by number.
      if (!text || !customers || error.status !== 400) throw error;
      const { items } = await invoices({ ...query, filter: filter(kind, text, false) });
      customers = false;
      return items;
    }
  }

  async function trouble({ status }, mine) {
    if ([401, 403, 404].includes(status)) {
      const counts = await prove().catch(() => true);
      if (mine !== turn) return;
      if (!counts) return close(end);
    }
    // What is seen must be an answer to what is asked.
    if (answered !== `${kind} ${text}`) days.replaceChildren();
    const away = days.firstChild ? WORDS.awaySince(clock.format(readAt)) : WORDS.away;
    say({ 0: away, 429: away, 400: WORDS.strange }[status] ?? WORDS.refused);
    empty.hidden = true;
    more.hidden ||= !days.firstChild;
    more.disabled = false;
  }

  function say(words) {
    banner.hidden = !words;
    if (banner.textContent !== words) banner.textContent = words;
    place.classList.toggle('stale', Boolean(words));
  }

  function sum(pending, failed) {
    const words = [failed && WORDS.failed(failed), pending && WORDS.pending(pending)].filter(Boolean).join(' ') || WORDS.calm;
    if (summary.textContent !== words) summary.textContent = words;
    for (const [name, n] of Object.entries({ pending, failed })) {
      chips.querySelector(`[value=${name}] ~ .count`).textContent = n ? ` ${n}` : '';
    }
  }

  function draw() {
    const groups = [];
    const old = new Map(rows);
    rows.clear();
    for (const record of records) {
      const date = dateOf(record['{{invoices.invoice_date}}']);
      const name = nameOf(date);
      if (groups.at(-1)?.name !== name) groups.push({ name, items: [] });
      const key = JSON.stringify(record);
      const node = old.get(key) ?? row(record, date);
      rows.set(key, node);
      groups.at(-1).items.push(node);
    }
    days.replaceChildren(...groups.map(({ name, items }) => el('section', {}, el('h2', {}, name), el('ul', {}, ...items))));
    empty.hidden = records.length > 0;
    const words = text ? WORDS.noneFound(text) : WORDS.none[kind];
    if (empty.textContent !== words) empty.textContent = words;
    more.hidden = !isMore;
    more.disabled = false;
  }

  function wake() {
    if (document.hidden) {
      events?.close();
      events = null;
    } else if (!events && !busy) {
      read(1);
    }
  }

  /** PocketBase's events: each is a hint to look. */
  function follow() {
    // One that was refused does not come back by itself.
    if (document.hidden || (events && events.readyState !== EventSource.CLOSED)) return;
    let soon = 0;
    const again = () => {
      clearTimeout(soon);
      soon = setTimeout(() => {
        if (busy) again();
        else if (events) read(1);
      }, 400);
    };
    let times = 0;
    events = new EventSource(new URL('../api/realtime', import.meta.url));
    events.addEventListener('PB_CONNECT', async ({ data }) => {
      const { clientId } = JSON.parse(data);
      // Nothing is kept for who was away.
      if (++times > 1) again();
      await ask('realtime', { clientId, subscriptions: ['{{invoices}}/*'] }).catch(() => {});
    });
    events.addEventListener('{{invoices}}/*', again);
    events.addEventListener('error', again);
  }
}

function chip(kind) {
  const radio = el('input', { type: 'radio', name: 'kind', value: kind });
  radio.checked = kind === '';
  return el('label', {}, radio, el('span', {}, WORDS.kinds[kind]), el('span', { class: 'count' }));
}

function row(record, date) {
  const customer = record.expand?.['{{invoices.customer}}']?.['{{customers.name}}'];
  const badge = document.createElement('sync-badge');
  badge.record = record;
  const about = [String(customer ?? '').trim() || WORDS.walkIn, date?.time && clock.format(date)].filter(Boolean).join(' · ');
  const number = el('span', { class: 'number' }, String(record['{{invoices.invoice_number}}'] ?? '').trim() || WORDS.noNumber);
  const item = el('li', {}, number, el('span', { class: 'amount' }, amountOf(record['{{invoices.grand_total}}'])), el('span', { class: 'about' }, about), badge);
  if (String(record['{{invoices.status}}']).trim().toLowerCase() === 'cancelled') number.append(el('span', { class: 'tag' }, WORDS.cancelled));
  return item;
}

function amountOf(value) {
  const amount = value === '' || value == null ? NaN : Number(value);
  return Number.isFinite(amount) ? `${amount < 0 ? '−' : ''}₹\u00a0${rupees.format(Math.abs(amount))}` : WORDS.noAmount;
}

/** A moment, or a day: an app that keeps days only has them at midnight, of London or of the shop. */
function dateOf(value) {
  const parts = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d:\d\d:\d\d(?:\.\d+)?)Z?)?$/.exec(String(value ?? '').trim());
  if (!parts) return null;
  const [, year, month, dayOfMonth, time = '00:00:00'] = parts;
  if (/^00:00:00/.test(time)) return new Date(year, month - 1, dayOfMonth);
  const date = new Date(`${year}-${month}-${dayOfMonth}T${time}Z`);
  date.time = date.getHours() + date.getMinutes() + date.getSeconds() > 0;
  return date;
}

function nameOf(date) {
  if (!date || Number.isNaN(date.getTime())) return WORDS.noDay;
  const now = new Date();
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (date.toDateString() === now.toDateString()) return WORDS.today;
  if (date.toDateString() === yesterday.toDateString()) return WORDS.yesterday;
  return (date.getFullYear() === now.getFullYear() ? day : dayOfYear).format(date);
}
