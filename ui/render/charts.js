// The day in two drawings: invoices per hour, and how long they took. Each is a table as well, for who cannot see it.

import { el, setHidden, svg } from '../dom.js';
import { count } from '../format.js';
import { createPull } from '../pull.js';
import { words } from '../words.js';
import { dayKey } from './done.js';

const [WIDTH, HEIGHT] = [440, 150];
const [LEFT, RIGHT, TOP, BOTTOM] = [30, 6, 12, 22];
const OPEN = [9, 20];

export function createCharts(root) {
  const hours = figure(words.chartHours, []);
  const seconds = figure(words.chartSeconds, [['middle', words.chartMiddle], ['slowest', words.chartSlowest]]);
  root.append(hours.node, seconds.node);
  let day = null;
  const pull = createPull('/api/day', (body) => {
    day = body;
    draw();
  });
  setHidden(root, true);

  return {
    update(snapshot) {
      if (!root.parentElement.hidden) pull(dayKey(snapshot));
    },
    tick() {},
  };

  function draw() {
    // What cannot be read is not shown as it was.
    setHidden(root, day === null);
    if (!day) return;
    const used = day.per_hour.flatMap((n, hour) => (n > 0 ? [hour] : []));
    const [first, last] = [Math.min(OPEN[0], ...used), Math.max(OPEN[1], ...used)];
    const axis = { first, slots: last - first + 1 };
    hours.draw(day.per_hour.some((n) => n > 0) && bars(day.per_hour, axis), table([words.chartHour, words.chartCount],
      used.map((hour) => [clock(hour), count(day.per_hour[hour])])));
    seconds.draw(day.latency.length > 0 && lines(day.latency, axis), table([words.chartHour, words.chartMiddle, words.chartSlowest],
      day.latency.map((one) => [clock(one.hour), inSeconds(one.p50_ms), inSeconds(one.slowest_ms)])));
  }
}

function figure(title, legend) {
  const place = el('div', { class: 'plot' });
  const none = el('p', { class: 'note', text: words.chartNone });
  const hidden = el('div', { class: 'unseen' });
  const keys = legend.map(([look, text]) => el('span', { class: `key ${look}` }, el('i', { 'aria-hidden': 'true' }), el('span', { text })));
  const node = el('figure', {}, el('figcaption', {}, el('h2', { text: title }), ...keys), place, none, hidden);
  return {
    node,
    draw(drawing, rows) {
      place.replaceChildren(...(drawing ? [drawing] : []));
      hidden.replaceChildren(...(drawing ? [rows] : []));
      setHidden(place, !drawing);
      setHidden(none, Boolean(drawing));
    },
  };
}

function bars(perHour, axis) {
  const top = nice(Math.max(...perHour), true);
  const width = (WIDTH - LEFT - RIGHT) / axis.slots;
  const parts = [...grid(top, count), ...ticks(axis)];
  for (const [hour, n] of perHour.entries()) {
    if (n === 0) continue;
    const height = Math.max((n / top) * (HEIGHT - TOP - BOTTOM), 2);
    parts.push(svg('rect', { class: 'bar', x: LEFT + (hour - axis.first) * width + 2, y: HEIGHT - BOTTOM - height, width: Math.max(width - 4, 2), height, rx: 2 },
      svg('title', { text: `${clock(hour)}: ${count(n)}` })));
  }
  return canvas(parts);
}

function lines(latency, axis) {
  const top = nice(Math.max(...latency.map((one) => one.slowest_ms)) / 1000, false);
  const width = (WIDTH - LEFT - RIGHT) / axis.slots;
  const x = (hour) => LEFT + (hour - axis.first + 0.5) * width;
  const y = (ms) => HEIGHT - BOTTOM - (ms / 1000 / top) * (HEIGHT - TOP - BOTTOM);
  const parts = [...grid(top, (value) => String(value)), ...ticks(axis)];
  for (const [look, of] of [['slowest', (one) => one.slowest_ms], ['middle', (one) => one.p50_ms]]) {
    parts.push(svg('polyline', { class: `line ${look}`, points: latency.map((one) => `${x(one.hour)},${y(of(one))}`).join(' ') }));
    for (const one of latency) {
      const shape = look === 'middle' ? svg('circle', { class: `dot ${look}`, cx: x(one.hour), cy: y(of(one)), r: 3 })
        : svg('rect', { class: `dot ${look}`, x: x(one.hour) - 3, y: y(of(one)) - 3, width: 6, height: 6 });
      shape.append(svg('title', { text: `${clock(one.hour)}: ${inSeconds(of(one))}` }));
      parts.push(shape);
    }
  }
  return canvas(parts);
}

function canvas(parts) {
  return svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, 'aria-hidden': 'true', focusable: 'false' }, ...parts);
}

function grid(top, text) {
  return [0, top / 2, top].flatMap((value) => {
    const y = HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
    return [svg('line', { class: 'grid', x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }),
      svg('text', { class: 'scale', x: LEFT - 6, y: y + 4, 'text-anchor': 'end', text: text(value) })];
  });
}

function ticks({ first, slots }) {
  const width = (WIDTH - LEFT - RIGHT) / slots;
  const every = slots > 14 ? 3 : 2;
  const hours = Array.from({ length: slots }, (_, at) => first + at).filter((hour) => hour % every === 0);
  return hours.map((hour) => svg('text', { class: 'scale', x: LEFT + (hour - first + 0.5) * width, y: HEIGHT - 6, 'text-anchor': 'middle', text: String(hour) }));
}

/** The next round number, whose half is one as well. */
function nice(value, whole) {
  const steps = whole ? [2, 4, 6, 10, 20, 40, 60, 100, 200, 400, 600, 1000, 2000] : [0.2, 0.5, 1, 2, 4, 6, 10, 20, 30, 60, 120, 300, 600, 1200, 3600, 7200];
  return steps.find((step) => step >= value) ?? value;
}

function table(head, rows) {
  const cells = (name, row) => el('tr', {}, ...row.map((text) => el(name, { text })));
  return el('table', {}, el('thead', {}, cells('th', head)), el('tbody', {}, ...rows.map((row) => cells('td', row))));
}

function clock(hour) {
  return `${String(hour).padStart(2, '0')}:00`;
}

function inSeconds(ms) {
  return words.seconds((ms / 1000).toFixed(1));
}
