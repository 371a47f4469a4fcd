// Pause (with a small menu), Resume and Sync now.

import { el, setHidden } from '../dom.js';
import { words } from '../words.js';

const MINUTE = 60_000;

export function createControls(root, command) {
  const items = [
    item(words.pauseQuarter, () => inMinutes(15)),
    item(words.pauseHour, () => inMinutes(60)),
    item(words.pauseTomorrow, tomorrow),
  ];
  const menu = el('div', { role: 'menu', class: 'menu', hidden: true, keydown: onMenuKey, 'aria-label': words.pause }, ...items);
  const opener = el('button', { type: 'button', 'aria-haspopup': 'menu', 'aria-expanded': 'false', click: toggle, 'data-do': 'pause' },
    el('span', { text: words.pause }), el('span', { class: 'caret', 'aria-hidden': 'true' }));
  const pause = el('div', { class: 'menu-place' }, opener, menu);
  const resume = button(words.resume, { command: 'resume' });
  const sync = button(words.syncNow, { command: 'sync_now' });
  sync.classList.add('primary');
  root.append(pause, resume, sync);
  setHidden(resume, true);

  document.addEventListener('click', (event) => {
    if (!pause.contains(event.target)) show(false);
  });
  pause.addEventListener('focusout', (event) => {
    if (event.relatedTarget && !pause.contains(event.relatedTarget)) show(false);
  });

  let known = false;
  return {
    update(snapshot) {
      known = true;
      const paused = snapshot.paused_until !== null;
      setHidden(resume, !paused);
      setHidden(pause, paused);
    },
    tick(_now, stale) {
      for (const one of [opener, resume, sync]) one.disabled = stale || !known || one.dataset.asking === 'yes';
      if (stale) show(false);
    },
  };

  function button(text, wish) {
    const node = el('button', { type: 'button', text, 'data-do': wish.command, click: () => ask(node, wish) });
    return node;
  }

  function item(text, moment) {
    return el('button', {
      type: 'button', role: 'menuitem', tabindex: '-1', text,
      click() {
        show(false);
        opener.focus();
        ask(opener, { command: 'pause', until: moment().toISOString() });
      },
    });
  }

  async function ask(node, wish) {
    node.dataset.asking = 'yes';
    node.disabled = true;
    await command(wish);
    node.dataset.asking = 'no';
    node.disabled = false;
  }

  function toggle() {
    show(menu.hidden);
    if (!menu.hidden) items[0].focus();
  }

  function show(open) {
    setHidden(menu, !open);
    opener.setAttribute('aria-expanded', String(open));
  }

  function onMenuKey(event) {
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) {
      items[to % items.length].focus();
      event.preventDefault();
    } else if (event.key === 'Escape') {
      show(false);
      opener.focus();
    }
  }
}

function inMinutes(minutes) {
  return new Date(Date.now() + minutes * MINUTE);
}

/** The first moment of the reader's tomorrow. */
function tomorrow() {
  const day = new Date();
  day.setHours(24, 0, 0, 0);
  return day;
}
