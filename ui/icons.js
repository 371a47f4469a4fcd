// The six states: told apart by shape as well as by colour. One drawing each, for the page and for its tab.

import { svg } from './dom.js';

const DISC = { tag: 'circle', cx: 12, cy: 12, r: 11 };
const line = (d, width = 2.4) => ({ tag: 'path', d, width });

// `body` is filled with the state's colour, `mark` is drawn on it.
const DRAWINGS = {
  in_step: { body: DISC, mark: [line('M7 12.6l3.4 3.4L17 8.8')] },
  working: { body: DISC, mark: [line('M6.4 9h10.8M13.9 5.7L17.2 9l-3.3 3.3M17.6 15H6.8M10.1 11.7L6.8 15l3.3 3.3', 2.1)] },
  attention: { body: { tag: 'path', d: 'M10.3 2.6a2 2 0 0 1 3.4 0l9.3 16.2a2 2 0 0 1-1.7 3H2.7a2 2 0 0 1-1.7-3z' }, mark: [line('M12 8.6v5.6M12 17.8v.1', 2.6)] },
  failing: { body: DISC, mark: [line('M8.2 8.2l7.6 7.6M15.8 8.2l-7.6 7.6', 2.6)] },
  paused: { body: DISC, mark: [line('M9.4 8v8M14.6 8v8', 2.6)] },
  starting: { ring: { tag: 'circle', cx: 12, cy: 12, r: 9.4 } },
};

const COLOURS = {
  in_step: '#1a7f4b',
  working: '#1f5fbf',
  attention: '#b45309',
  failing: '#c02b2b',
  paused: '#6b7280',
  starting: '#6b7280',
};

/** The drawing of a state; its colours come from the style sheet. */
export function icon(state) {
  const { body, mark = [], ring } = DRAWINGS[state] ?? DRAWINGS.starting;
  const parts = [];
  if (body) parts.push(shape(body, { class: 'icon-body' }));
  if (ring) parts.push(shape(ring, { class: 'icon-ring', 'stroke-width': 2.8 }));
  for (const one of mark) parts.push(shape(one, { class: 'icon-mark', 'stroke-width': one.width }));
  return svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'data-icon': state, 'aria-hidden': 'true', focusable: 'false' }, ...parts);
}

/** The same as the picture of the browser's tab, which no style sheet reaches. */
export function favicon(state) {
  const drawing = icon(state);
  const colour = COLOURS[state] ?? COLOURS.starting;
  for (const part of drawing.children) {
    const body = part.classList.contains('icon-body');
    part.setAttribute('fill', body ? colour : 'none');
    part.setAttribute('stroke', body ? 'none' : part.classList.contains('icon-ring') ? colour : '#fff');
    part.setAttribute('stroke-linecap', 'round');
    part.setAttribute('stroke-linejoin', 'round');
  }
  return `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(drawing))}`;
}

function shape({ tag, width: _width, ...geometry }, look) {
  return svg(tag, { ...geometry, ...look });
}
