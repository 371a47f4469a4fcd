// Four cards: both sides, the products, the last backup; and the list of products that need a look.

import { el, keyed, setHidden, setText } from '../dom.js';
import { ago, count, duration, moment, onDay, size, until } from '../format.js';
import { icon } from '../icons.js';
import { said } from '../sentences.js';
import { words } from '../words.js';

export function createCards(root, problems) {
  root.setAttribute('aria-label', words.cards);
  const parts = [linkCard(words.billing, 'billing'), linkCard(words.raintek, 'raintek'), productsCard(problems), backupCard()];
  root.append(...parts.map((part) => part.node));
  return {
    update(snapshot, now) {
      for (const part of parts) part.update(snapshot, now);
    },
    tick(now) {
      for (const part of parts) part.tick(now);
    },
  };
}

function card(title, name) {
  const big = el('p', { class: 'big' });
  const small = el('p', { class: 'small' });
  const node = el('article', { class: 'card', 'data-card': name }, el('h2', { text: title }), big, small);
  return { node, big, small };
}

function linkCard(title, side) {
  const { node, big, small } = card(title, side);
  const mark = el('span', { class: 'mark' });
  const says = el('span');
  const target = el('p', { class: 'small target' });
  big.append(mark, says);
  node.append(target);
  let snapshot = null;
  let drawn = null;

  return {
    node,
    update(news, now) {
      snapshot = news;
      const link = snapshot[side];
      const look = link.connected ? 'in_step' : link.since ? 'failing' : 'starting';
      node.dataset.link = link.connected ? 'up' : link.since ? 'down' : 'unknown';
      if (look !== drawn) mark.replaceChildren(icon(look));
      drawn = look;
      setText(target, link.target);
      target.title = link.target;
      this.tick(now);
    },
    tick(now) {
      if (!snapshot) return;
      const link = snapshot[side];
      if (link.connected) {
        setText(says, upWords(side, link));
        setText(small, side === 'billing' && !snapshot.realtime ? words.noLive : '');
      } else {
        setText(says, link.since ? words.notConnected : words.notYet);
        const since = link.since ? words.downSince(moment(new Date(link.since), now)) : '';
        const again = link.next_try ? words.again(until(new Date(link.next_try), now)) : '';
        setText(small, [said(link.sentence ?? ''), since, again].filter(Boolean).join(' '));
      }
      small.title = link.detail ?? '';
      setHidden(small, small.textContent === '');
    },
  };

  function upWords(name, link) {
    if (name === 'billing') return snapshot.realtime ? words.connectedLive : words.connected;
    return link.latency_ms === null ? words.connected : words.connectedIn(duration(link.latency_ms));
  }
}

function productsCard(list) {
  const { node, big, small } = card(words.products, 'products');
  const bar = el('progress', { 'aria-label': words.products, hidden: true });
  const opener = el('button', { type: 'button', class: 'link', 'aria-expanded': 'false', 'aria-controls': list.id, hidden: true, click: () => show(list.hidden) });
  node.append(bar, opener);

  const rows = el('ul', { class: 'lines' });
  const heading = el('h2', { text: words.productProblemsTitle });
  const shut = el('button', { type: 'button', class: 'link', text: words.close, click: () => { show(false); opener.focus(); } });
  list.append(el('header', {}, heading, shut), rows);
  const lines = keyed(rows, problemRow);
  let products = null;

  return {
    node,
    update(snapshot, now) {
      products = snapshot.products;
      const n = products.problems.length;
      setText(opener, words.productProblems(n));
      setHidden(opener, n === 0);
      if (n === 0) show(false);
      if (!list.hidden) fill();
      this.tick(now);
    },
    tick(now) {
      if (!products) return;
      const { progress, last_pass: last, total, changed, sentence } = products;
      setHidden(bar, !progress);
      if (progress) {
        bar.max = Math.max(progress.total, 1);
        bar.value = progress.done;
        setText(big, words.productsOf(count(progress.done), count(progress.total)));
      } else {
        setText(big, last ? count(total) : words.productsNever);
      }
      const facts = [last ? words.productsRead(ago(new Date(last), now)) : '', last && changed ? words.productsChanged(count(changed)) : ''];
      setText(small, said(sentence) ?? (progress ? '' : facts.filter(Boolean).join(' · ')));
      setHidden(small, small.textContent === '');
      node.classList.toggle('troubled', Boolean(sentence));
    },
  };

  function show(open) {
    if (open) fill();
    setHidden(list, !open);
    opener.setAttribute('aria-expanded', String(open));
  }

  function fill() {
    lines.set(products.problems, (problem) => `${problem.pid} ${problem.code} ${problem.sentence}`);
  }
}

function problemRow() {
  const code = el('span', { class: 'number' });
  const says = el('span');
  return {
    node: el('li', {}, code, says),
    update(problem) {
      setText(code, problem.code || words.noCode);
      setText(says, said(problem.sentence));
    },
    tick() {},
  };
}

function backupCard() {
  const { node, big, small } = card(words.backup, 'backup');
  const bar = el('progress', { 'aria-label': words.backup, max: '100', hidden: true });
  node.append(bar);
  let backups = null;
  return {
    node,
    update(snapshot, now) {
      backups = snapshot.backups;
      this.tick(now);
    },
    tick(now) {
      if (!backups) return;
      const { enabled, running, last_ok: last, sentence } = backups;
      const when = last ? onDay(new Date(last), now) : '';
      setText(big, !enabled ? words.backupOff : last ? words.backupProven(when) : words.backupNone);
      setText(small, running ? said(running.doing) : said(sentence) ?? (enabled ? sizes() : ''));
      setHidden(small, small.textContent === '');
      setHidden(bar, !running);
      if (running?.percent != null) bar.value = running.percent;
      else bar.removeAttribute('value');
      node.classList.toggle('troubled', Boolean(sentence));
    },
  };

  function sizes() {
    const newest = (part) => backups.files.find((made) => made.part === part && made.proof);
    const [raintek, app] = [newest('raintek'), newest('billing')];
    return raintek && app ? words.backupSizes(size(raintek.bytes), size(app.bytes)) : '';
  }
}
