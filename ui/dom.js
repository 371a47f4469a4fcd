// The few ways in which the page is written. Text is only ever text: nothing here takes markup.

const SVG = 'http://www.w3.org/2000/svg';

/** An element. `text` becomes its text, functions become listeners, everything else attributes. */
export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same, for drawings. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** Writes only what differs, so that nothing is laid out, announced or selected anew without need. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setHidden(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/**
 * A list whose nodes live as long as their items: focus, open details and selection stay where they are.
 * `create(item)` gives `{ node, update(item), tick(now) }`; the list is then set with `set(items, key)`.
 */
export function keyed(parent, create) {
  let rows = new Map();
  return {
    set(items, key) {
      const next = new Map();
      for (const item of items) {
        let name = key(item);
        while (next.has(name)) name += '+';
        next.set(name, { row: rows.get(name) ?? create(item), item });
      }
      for (const [name, row] of rows) if (!next.has(name)) row.node.remove();
      rows = new Map();
      let place = parent.firstElementChild;
      for (const [name, { row, item }] of next) {
        row.update(item);
        rows.set(name, row);
        if (row.node === place) place = place.nextElementSibling;
        else parent.insertBefore(row.node, place);
      }
    },
    tick(now) {
      for (const row of rows.values()) row.tick(now);
    },
  };
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'text') node.textContent = value;
    else if (typeof value === 'function') node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
