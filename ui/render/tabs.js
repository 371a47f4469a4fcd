// The lists under one row of tabs, with one search for all of them. The tab in view is part of the address.

import { el, setHidden, setText } from '../dom.js';
import { count } from '../format.js';
import { words } from '../words.js';
import { createBills } from './bills.js';
import { createDone } from './done.js';
import { createItems } from './items.js';

export function createTabs(bar, place, command, say) {
  const tabs = [
    tab('waiting', createItems('waiting', command, say), (counts) => counts.waiting),
    tab('held', createItems('held', command, say), (counts) => counts.held),
    tab('done', createDone(redraw), (counts) => counts.done_today),
    tab('raintek', createBills(redraw), (counts, snapshot) => snapshot.from_raintek.today),
  ];
  const search = el('input', { type: 'search', placeholder: words.search, 'aria-label': words.search, autocomplete: 'off', spellcheck: 'false', input: redraw });
  const list = el('div', { role: 'tablist', class: 'tablist', 'aria-label': words.lists, keydown: onKey }, ...tabs.map((one) => one.button));
  bar.append(list, search);
  place.append(...tabs.map((one) => one.panel));

  let snapshot = null;
  let now = new Date();
  let stale = false;
  let chosen = tabs.find((one) => `#${one.name}` === location.hash) ?? null;
  choose(chosen ?? tabs[0]);
  addEventListener('hashchange', () => {
    const named = tabs.find((one) => `#${one.name}` === location.hash);
    if (named) choose((chosen = named));
  });

  return {
    update(news, moment) {
      snapshot = news;
      now = moment;
      for (const one of tabs) one.count(snapshot);
      // Until somebody chose, what needs a person comes first, then what moves.
      if (!chosen) choose((chosen = first(snapshot.counts)));
      else redraw();
    },
    tick(moment, isStale) {
      now = moment;
      stale = isStale;
      current().part.tick(now, stale);
    },
  };

  function tab(name, part, number) {
    const badge = el('span', { class: 'badge' });
    const button = el('button', {
      type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': `panel-${name}`, 'data-tab': name,
      click() {
        history.replaceState(null, '', `#${name}`);
        choose((chosen = one));
      },
    }, el('span', { text: words.tabs[name] }), badge);
    const panel = el('div', { role: 'tabpanel', id: `panel-${name}`, 'aria-labelledby': `tab-${name}`, tabindex: '0' }, part.node);
    const one = {
      name, part, button, panel,
      count(snapshot) {
        const n = number(snapshot.counts, snapshot);
        setHidden(badge, false);
        setText(badge, count(n));
        badge.classList.toggle('none', n === 0);
      },
    };
    setHidden(badge, true);
    return one;
  }

  function first(counts) {
    if (counts.held > 0) return tabs[1];
    if (counts.waiting > 0) return tabs[0];
    return tabs[2];
  }

  function choose(one) {
    for (const other of tabs) {
      const selected = other === one;
      other.button.setAttribute('aria-selected', String(selected));
      other.button.tabIndex = selected ? 0 : -1;
      setHidden(other.panel, !selected);
    }
    if (list.scrollWidth > list.clientWidth) one.button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    redraw();
  }

  function current() {
    return tabs.find((one) => !one.panel.hidden);
  }

  function redraw() {
    if (!snapshot) return;
    const { part } = current();
    part.update(snapshot, search.value.trim(), now);
    part.tick(now, stale);
  }

  function onKey(event) {
    const at = tabs.findIndex((one) => one.button === document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    const next = tabs[to % tabs.length];
    next.button.focus();
    next.button.click();
    event.preventDefault();
  }
}
