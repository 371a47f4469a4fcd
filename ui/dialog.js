// A question that must be answered before anything goes on.

import { el } from './dom.js';
import { words } from './words.js';

/** Asks; true only where the button that does it was pressed. */
export function confirmed(question, doIt) {
  const yes = el('button', { type: 'button', class: 'primary', text: doIt, 'data-do': 'yes', click: () => box.close('yes') });
  const no = el('button', { type: 'button', text: words.cancel, 'data-do': 'no', click: () => box.close('no') });
  const text = el('p', { id: 'question', text: question });
  const box = el('dialog', { class: 'ask', 'aria-labelledby': 'question' }, text, el('div', { class: 'buttons' }, no, yes));
  return opened(box, () => box.returnValue === 'yes', no);
}

/** Asks for a line of text; null where nothing was given. */
export function asked(title, help, doIt) {
  const input = el('input', { type: 'text', 'aria-labelledby': 'question', autocomplete: 'off' });
  const form = el('form', { class: 'ask-form', submit(event) { event.preventDefault(); box.close('yes'); } },
    el('h2', { id: 'question', text: title }), el('p', { class: 'note', text: help }), input,
    el('div', { class: 'buttons' },
      el('button', { type: 'button', text: words.cancel, 'data-do': 'no', click: () => box.close('no') }),
      el('button', { type: 'submit', class: 'primary', text: doIt, 'data-do': 'yes' })));
  const box = el('dialog', { class: 'ask', 'aria-labelledby': 'question' }, form);
  return opened(box, () => (box.returnValue === 'yes' && input.value.trim()) || null, input);
}

function opened(box, answer, first) {
  return new Promise((done) => {
    box.addEventListener('close', () => {
      box.remove();
      done(answer());
    });
    document.body.append(box);
    box.showModal();
    first.focus();
  });
}
