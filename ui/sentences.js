// What ShopSync says comes in English; here it is shown in the page's language. Sentences are known by their
// templates, whose holes ({name}) may hold sentences themselves. One that is not known is shown as it came.

import { hi } from './sentences/hi.js';
import { language } from './words.js';

const tables = { hi };
const LONGEST_MEMORY = 4000;

const compiled = new Map();
const memory = new Map();

/** The sentence in the page's language. */
export function said(text) {
  return translated(text, language);
}

/** The sentence in that language. */
export function translated(text, wanted) {
  if (!text || !(wanted in tables)) return text;
  const key = `${wanted} ${text}`;
  const known = memory.get(key);
  if (known !== undefined) return known;
  if (memory.size > LONGEST_MEMORY) memory.clear();
  const found = find(text, templates(wanted), 0);
  memory.set(key, found);
  return found;
}

// A hole never holds more than this many sentences within each other.
const DEEPEST = 6;

function find(text, all, depth) {
  if (!text || depth > DEEPEST) return text;
  for (const one of all) {
    const match = one.whole.exec(text);
    if (match) return one.fill(match, (part) => find(part, all, depth + 1));
  }
  // Several sentences behind one another: the first that is known, then the rest.
  for (const one of all) {
    const match = one.first.exec(text);
    if (match && match[0].length < text.length) {
      const rest = text.slice(match[0].length).trimStart();
      return `${one.fill(match, (part) => find(part, all, depth + 1))} ${find(rest, all, depth + 1)}`;
    }
  }
  return text;
}

function templates(wanted) {
  if (!compiled.has(wanted)) {
    const all = tables[wanted].map(([from, to]) => template(from, to));
    // What says more of the text by itself comes first.
    all.sort((one, other) => other.weight - one.weight);
    compiled.set(wanted, all);
  }
  return compiled.get(wanted);
}

function template(from, to) {
  const names = [];
  const parts = from.split(/\{(\w+)\}/);
  for (const [at, part] of parts.entries()) if (at % 2 === 1) names.push(part);
  const pattern = (hole) => parts.map((part, at) => {
    if (at % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return part === 'n' ? '(\\d[\\d,]*)' : hole;
  }).join('');
  const endsOpen = parts.length > 1 && parts.at(-1) === '';
  return {
    weight: parts.filter((_, at) => at % 2 === 0).join('').length,
    whole: new RegExp(`^${pattern('([^]+?)')}$`),
    // Of several sentences a hole never takes more than a part of one.
    first: endsOpen ? /^(?!)/ : new RegExp(`^${pattern('((?:(?!\\.\\s+[A-Z])[^])+?)')}(?=\\s)`),
    fill(match, translate) {
      const values = Object.fromEntries(names.map((name, at) => [name, translate(match[at + 1])]));
      return to.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
    },
  };
}
