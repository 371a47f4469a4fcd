// <sync-badge>, by ShopSync: how far an invoice is on its way to RainTek, in a word and a shape.
//
//   <sync-badge status="failed" error="Item &quot;Blue pen&quot; is not in RainTek."></sync-badge>
//   badge.record = invoice      // a record as PocketBase gives it; the attributes follow
//
// Attributes: `status` (pending, synced, failed), `source` (raintek), `error`. Anything else shows nothing.
// Parts for an app's own style sheet: `badge` and `error`.

const KINDS = {
  pending: { word: 'Pending', means: 'It goes to RainTek by itself.' },
  synced: { word: 'Synced', means: 'It is in RainTek.' },
  failed: { word: 'Failed', means: 'It is not in RainTek and needs a look.' },
  raintek: { word: 'RainTek', means: 'It was billed in RainTek.' },
};

// One shape each, so that nobody needs the colour: a clock, a disc, a triangle, a square.
const SHAPES = {
  pending: [['circle', { class: 'line', cx: 8, cy: 8, r: 6.2 }], ['path', { class: 'line', d: 'M8 4.6V8l2.3 1.6' }]],
  synced: [['circle', { class: 'body', cx: 8, cy: 8, r: 7 }], ['path', { class: 'mark', d: 'M4.8 8.3l2.2 2.2 4.2-4.6' }]],
  failed: [['path', { class: 'body', d: 'M6.8 1.8a1.4 1.4 0 0 1 2.4 0l6 10.6a1.4 1.4 0 0 1-1.2 2.1H2a1.4 1.4 0 0 1-1.2-2.1z' }],
    ['path', { class: 'mark', d: 'M8 5.6v3.7M8 11.9v.1' }]],
  raintek: [['rect', { class: 'body', x: 1.5, y: 1.5, width: 13, height: 13, rx: 2.5 }],
    ['path', { class: 'mark', d: 'M8 4.2v7M5 8.4l3 3 3-3' }]],
};

// `light-dark` follows the colour scheme of the app around it; browsers without it stay light. Each badge brings its
// own ground, so that it can be read on any page.
const STYLE = new CSSStyleSheet();
STYLE.replaceSync(`
  :host { display: inline-block; max-width: 100%; }
  :host([hidden]), [hidden] { display: none !important; }
  .badge { display: inline-flex; align-items: center; gap: 5px; box-sizing: border-box; padding: 2px 9px 2px 6px;
    border: 1px solid transparent; border-radius: 99px; font-size: 13px; line-height: 18px; font-weight: 600;
    white-space: nowrap; vertical-align: middle; }
  .badge[data-kind="pending"] { color: #8a3f05; background: #fdf1e1; color: light-dark(#8a3f05, #f2b25f); background: light-dark(#fdf1e1, #33260f); }
  .badge[data-kind="synced"] { color: #14673c; background: #e5f4eb; color: light-dark(#14673c, #62d298); background: light-dark(#e5f4eb, #12301f); }
  .badge[data-kind="failed"] { color: #b02323; background: #fdecec; color: light-dark(#b02323, #ff968d); background: light-dark(#fdecec, #3a1a1a); }
  .badge[data-kind="raintek"] { color: #3f4a58; background: #e9edf2; color: light-dark(#3f4a58, #c2cad5); background: light-dark(#e9edf2, #2b323c); }
  svg { flex: none; width: 15px; height: 15px; }
  .body { fill: currentColor; }
  .line, .mark { fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
  .mark { stroke: #fff; stroke: light-dark(#fff, #12161c); }
  .means { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  .error { display: block; margin-top: 3px; overflow-wrap: anywhere; }
  @media (forced-colors: active) { .mark { stroke: Canvas; } }
`);

class SyncBadge extends HTMLElement {
  static observedAttributes = ['status', 'source', 'error'];

  #badge = make('span', { class: 'badge', part: 'badge' });
  #error = make('span', { class: 'error', part: 'error' });

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [STYLE];
    root.append(this.#badge, this.#error);
    this.#draw();
  }

  connectedCallback() {
    // An app may have set it before this file came.
    if (Object.hasOwn(this, 'record')) {
      const { record } = this;
      delete this.record;
      this.record = record;
    }
  }

  attributeChangedCallback() {
    this.#draw();
  }

  /** An invoice's record; `null` shows nothing. */
  set record(record) {
    const word = (name) => String(record?.[name] ?? '').trim().toLowerCase();
    const [state, source] = [word('{{invoices.status}}'), word('{{invoices.source}}')];
    let status = word('{{invoices.sync_status}}');
    // Only what is completed goes to RainTek; a newer invoice speaks for one that was revised.
    if (['draft', 'revised'].includes(state) || (status === 'pending' && state && state !== 'completed')) status = '';
    this.setAttribute('status', status);
    this.setAttribute('source', source);
    this.setAttribute('error', status === 'failed' ? String(record['{{invoices.sync_error}}'] ?? '') : '');
  }

  #draw() {
    const word = (name) => (this.getAttribute(name) ?? '').trim().toLowerCase();
    const kind = word('source') === 'raintek' ? 'raintek' : word('status');
    const known = Object.hasOwn(KINDS, kind);
    this.#badge.hidden = !known;
    if (known && this.#badge.dataset.kind !== kind) {
      const { word: text, means } = KINDS[kind];
      const shape = svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' });
      shape.append(...SHAPES[kind].map(([name, geometry]) => svg(name, geometry)));
      this.#badge.dataset.kind = kind;
      this.#badge.title = means;
      this.#badge.replaceChildren(shape, make('span', {}, text), make('span', { class: 'means' }, `. ${means}`));
    }
    const error = kind === 'failed' ? (this.getAttribute('error') ?? '').trim() : '';
    this.#error.hidden = !error;
    this.#error.textContent = error;
  }
}

function make(name, attributes, text = '') {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

function svg(name, attributes) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

if (!customElements.get('sync-badge')) customElements.define('sync-badge', SyncBadge);
