// Pause (with a small menu), Resume, Sync now, and what is asked for seldom.

import { el, setHidden } from '../dom.js';
import { words } from '../words.js';

const MINUTE = 60_000;

export function createControls(root, command) {
  const pause = menu(words.pause, 'pause', [
    [words.pauseQuarter, () => pauseUntil(inMinutes(15))],
    [words.pauseHour, () => pauseUntil(inMinutes(60))],
    [words.pauseTomorrow, () => pauseUntil(tomorrow())],
  ]);
  const more = menu('', 'more', [
    [words.moreBackup, () => command({ command: 'backup', task: 'now' })],
    [words.moreCheck, () => command({ command: 'check' })],
    [words.moreDiagnostics, () => go('#about')],
    [words.moreSetup, () => go('#setup')],
  ]);
  more.opener.setAttribute('aria-label', words.more);
  more.opener.title = words.more;
  const resume = button(words.resume, { command: 'resume' });
  const sync = button(words.syncNow, { command: 'sync_now' });
  sync.classList.add('primary');
  root.append(pause.node, resume, sync, more.node);
  setHidden(resume, true);

  let known = false;
  return {
    update(snapshot) {
      known = true;
      const paused = snapshot.paused_until !== null;
      setHidden(resume, !paused);
      setHidden(pause.node, paused);
    },
    tick(_now, stale) {
      for (const one of [pause.opener, more.opener, resume, sync]) one.disabled = stale || !known || one.dataset.asking === 'yes';
      if (stale) for (const one of [pause, more]) one.show(false);
    },
  };

  function button(text, wish) {
    const node = el('button', { type: 'button', text, 'data-do': wish.command, click: () => ask(node, () => command(wish)) });
    return node;
  }

  function pauseUntil(moment) {
    return command({ command: 'pause', until: moment.toISOString() });
  }
}

/** A button with a menu below it: `lines` are what each says and does. */
function menu(text, name, lines) {
  const items = lines.map(([says, work]) => el('button', {
    type: 'button', role: 'menuitem', tabindex: '-1', text: says,
    click() {
      show(false);
      opener.focus();
      ask(opener, work);
    },
  }));
  const list = el('div', { role: 'menu', class: 'menu', hidden: true, keydown: onKey, 'aria-label': text || words.more }, ...items);
  const mark = text ? el('span', { class: 'caret', 'aria-hidden': 'true' }) : el('span', { class: 'dots', 'aria-hidden': 'true' });
  const opener = el('button', { type: 'button', 'aria-haspopup': 'menu', 'aria-expanded': 'false', click: toggle, 'data-do': name }, el('span', { text }), mark);
  const node = el('div', { class: `menu-place ${name}` }, opener, list);
  document.addEventListener('click', (event) => {
    if (!node.contains(event.target)) show(false);
  });
  node.addEventListener('focusout', (event) => {
    if (event.relatedTarget && !node.contains(event.relatedTarget)) show(false);
  });
  return { node, opener, show };

  function toggle() {
    show(list.hidden);
    if (!list.hidden) items[0].focus();
  }

  function show(open) {
    setHidden(list, !open);
    opener.setAttribute('aria-expanded', String(open));
  }

  function onKey(event) {
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

async function ask(node, work) {
  node.dataset.asking = 'yes';
  node.disabled = true;
  await work();
  node.dataset.asking = 'no';
  node.disabled = false;
}

function go(place) {
  location.hash = place;
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
