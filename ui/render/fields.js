// One setting as a field of a form: what it is for, what it holds, and why it is refused.

import { el, setHidden, setText } from '../dom.js';
import { said } from '../sentences.js';
import { words } from '../words.js';

const TIME = /^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/;
/** Several of one kind, and names with what they stand for, a line each. */
const LISTS = ['times', 'chats'];
const LISTS_OF_NAMES = ['names', 'tables'];
const URL_LIKE = /^https?:\/\/[^\s/]+/;
/** What is said of input that cannot be meant, by kind: known before anybody types, so that there is room for it. */
const REFUSALS = { number: words.badNumber, time: words.badTime, times: words.badTime, url: words.badUrl };

/** `{ key, node, change(), refuse(sentence), settle(field) }`; `change()` is the new value, undefined where it is the same. */
export function createField(field, touched) {
  const [label, help] = words.fields[field.key] ?? [field.key, ''];
  const id = `field-${field.key.replaceAll('.', '-')}`;
  const input = createInput(field, id);
  const why = el('p', { class: 'refused', id: `${id}-why`, role: 'alert', hidden: true });
  const about = el('p', { class: 'note', id: `${id}-help`, text: explained(field, help) });
  input.setAttribute('aria-describedby', `${id}-help ${id}-why`);
  input.disabled = Boolean(field.overridden);
  // What was said goes with the first letter: leaving the field is often the mouse on its way to a button, which must not move.
  input.addEventListener('input', () => {
    refuse(null);
    touched();
  });
  input.addEventListener('change', () => {
    const sentence = wrong(field, input);
    if (sentence) refuse(sentence);
  });
  const title = el('label', { for: id, text: label });
  const room = el('p', { class: 'refused room', 'aria-hidden': 'true', text: REFUSALS[field.kind] ?? '' });
  const says = el('div', { class: 'says' }, about, room, why);
  const node = field.kind === 'bool'
    ? el('div', { class: 'field switch', 'data-field': field.key }, input, el('div', {}, title, says))
    : el('div', { class: 'field', 'data-field': field.key }, title, says, input);

  return {
    key: field.key,
    label,
    node,
    refuse,
    isWrong: () => wrong(field, input) !== null,
    change() {
      const value = valueOf(field, input);
      if (field.kind === 'secret') return value === '' ? undefined : value;
      return same(value, field.value) ? undefined : value;
    },
    focus: () => input.focus(),
  };

  function refuse(sentence) {
    setText(why, said(sentence ?? ''));
    setHidden(why, !sentence);
    says.classList.toggle('refuses', Boolean(sentence));
    if (sentence) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
  }
}

function explained(field, help) {
  const parts = [help];
  if (field.kind === 'secret') parts.push(field.set ? words.secretSet : words.secretNone);
  if (field.overridden) parts.push(words.overridden);
  else if (field.effect === 'restart') parts.push(words.needsRestart);
  return parts.filter(Boolean).join(' ');
}

function shown(field, value) {
  if (Array.isArray(value)) return value.map((one) => shown(field, one)).join(', ');
  if (field.kind === 'times' || field.kind === 'time') return String(value).replace(/^(\d+:\d\d):00$/, '$1');
  return words.choices[field.key]?.[value] ?? String(value);
}

function createInput(field, id) {
  if (field.kind === 'bool') {
    const box = el('input', { type: 'checkbox', id, role: 'switch' });
    box.checked = Boolean(field.value);
    return box;
  }
  if (field.kind === 'choice') {
    const pick = el('select', { id }, ...(field.choices ?? []).map((value) => el('option', { value, text: shown(field, value) })));
    pick.value = field.value ?? field.default ?? '';
    return pick;
  }
  if (LISTS_OF_NAMES.includes(field.kind)) {
    const area = el('textarea', { id, rows: '3', spellcheck: 'false' });
    area.value = lines(field.value).join('\n');
    return area;
  }
  const input = el('input', {
    type: field.kind === 'secret' ? 'password' : 'text',
    id,
    autocomplete: field.kind === 'secret' ? 'new-password' : 'off',
    spellcheck: 'false',
    inputmode: field.kind === 'number' ? 'numeric' : false,
    // What holds where nothing is written.
    placeholder: field.kind === 'secret' || field.default == null ? false : shown(field, field.default),
  });
  input.value = field.kind === 'secret' || field.value == null ? '' : shown(field, field.value);
  return input;
}

function valueOf(field, input) {
  if (field.kind === 'bool') return input.checked;
  const text = field.kind === 'secret' ? input.value : input.value.trim();
  if (field.kind === 'number' && text !== '') return Number(text);
  if (LISTS_OF_NAMES.includes(field.kind)) return names(text, field.kind === 'tables');
  if (LISTS.includes(field.kind)) {
    const parts = text.split(/[,\s]+/).filter(Boolean);
    return field.kind === 'chats' && parts.every((part) => /^-?\d+$/.test(part)) ? parts.map(Number) : parts;
  }
  return text === '' && field.kind !== 'secret' ? null : text;
}

/** Whether it says the same, however a time of the day is spelled. */
function same(one, other) {
  const plain = (value) => JSON.stringify(value === '' || value === undefined ? null : value).replace(/(\d:\d\d):00"/g, '$1"');
  return plain(one) === plain(other);
}

/** `{ upi: 'PhonePe' }` as `upi = PhonePe`, and names of names as `invoices.number = no`. */
function lines(value, before = '') {
  return Object.entries(value ?? {}).flatMap(([name, inner]) => (typeof inner === 'object' ? lines(inner, `${before}${name}.`) : [`${before}${name} = ${inner}`]));
}

function names(text, nested) {
  const all = {};
  for (const line of text.split('\n').filter((one) => one.includes('='))) {
    const [name, ...rest] = line.split('=');
    const [table, field] = name.trim().split('.');
    if (nested) (all[table] ??= {})[field ?? ''] = rest.join('=').trim();
    else all[name.trim()] = rest.join('=').trim();
  }
  return all;
}

/** Why what stands there cannot be it, as far as that is seen without asking; null where it may be. */
function wrong(field, input) {
  const text = (input.value ?? '').trim();
  if (text === '' || field.kind === 'bool') return null;
  return mayBe(field.kind, text) ? null : REFUSALS[field.kind];
}

function mayBe(kind, text) {
  if (kind === 'number') return /^\d+$/.test(text);
  if (kind === 'times' || kind === 'time') return text.split(/[,\s]+/).every((part) => TIME.test(part));
  return kind !== 'url' || URL_LIKE.test(text);
}
