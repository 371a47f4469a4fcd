// The words of the page: one table per language, chosen once, before the page is put together.

import { en } from './words/en.js';
import { hi } from './words/hi.js';

export const tables = { en, hi };

export let language = 'en';
export let words = en;

/** Speaks this language, or that of the system where it is none of ours. */
export function speak(wanted) {
  language = wanted in tables ? wanted : ofSystem();
  words = tables[language];
  document.documentElement.lang = language;
}

function ofSystem() {
  return navigator.languages.map((tag) => tag.split('-')[0]).find((tag) => tag in tables) ?? 'en';
}
