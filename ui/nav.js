// The parts of the page, one of them in view: by its name in the address. What is not in view does nothing.

import { get } from './api.js';
import { el, setHidden, setText } from './dom.js';
import { count } from './format.js';
import { words } from './words.js';

const ASK_AGAIN = 2000;

/**
 * `views` has the node of `today`, and of every other part `{ node, open(), update(snapshot, now), tick(now, stale) }`.
 * `setup` is no line of the bar: it shows itself until it was done once.
 */
export function createNav(bar, page, { today, ...parts }) {
  const links = {};
  bar.setAttribute('aria-label', words.navLabel);
  for (const [name, text] of Object.entries(words.nav)) {
    const badge = el('span', { class: 'badge', hidden: true });
    links[name] = { badge, node: el('a', { href: `#${name}`, 'data-view': name }, el('span', { text }), badge) };
    bar.append(links[name].node);
  }
  const views = new Map(Object.entries(parts).map(([name, part]) => {
    const node = el('section', { id: `view-${name}`, class: 'view', hidden: true, 'aria-label': words.nav[name] ?? words.setupTitle }, part.node);
    page.append(node);
    return [name, { part, node }];
  }));

  let shown = null;
  let last = null;
  addEventListener('hashchange', () => show(wanted()));
  show(wanted());
  firstRun();

  return {
    update(snapshot, now) {
      last = [snapshot, now];
      const n = parts.problems.open(snapshot);
      setText(links.problems.badge, count(n));
      setHidden(links.problems.badge, n === 0);
      views.get(shown)?.part.update(snapshot, now);
    },
    tick(now, stale) {
      views.get(shown)?.part.tick(now, stale);
    },
  };

  function wanted() {
    const name = location.hash.slice(1);
    return views.has(name) ? name : 'today';
  }

  function show(name) {
    if (name === shown) return;
    shown = name;
    setHidden(today, name !== 'today');
    for (const [other, { node }] of views) setHidden(node, other !== name);
    for (const [other, { node }] of Object.entries(links)) {
      if (other === name) node.setAttribute('aria-current', 'page');
      else node.removeAttribute('aria-current');
    }
    document.body.dataset.part = name;
    const view = views.get(name);
    if (!view) return;
    view.part.show?.();
    if (last) view.part.update(...last);
  }

  /** Whoever opens ShopSync for the first time is led through it, also where the PC is too busy to say so at once. */
  async function firstRun() {
    const { ok, status, body } = await get('/api/setup');
    if (status === 0 || status >= 500) setTimeout(firstRun, ASK_AGAIN);
    if (ok && body && !body.done && wanted() === 'today' && !location.hash.startsWith('#invoice=')) location.hash = '#setup';
  }
}
