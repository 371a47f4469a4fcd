// Takes who followed a toast to the invoice it was about: `/#invoice=GST-0151`.

const WANTED = '#invoice=';

export function createSeek() {
  let snapshot = null;
  addEventListener('hashchange', look);

  return {
    update(news) {
      snapshot = news;
      look();
    },
    tick() {},
  };

  function look() {
    if (!snapshot || !location.hash.startsWith(WANTED)) return;
    const number = named(location.hash.slice(WANTED.length));
    const item = snapshot.items.find((one) => one.number === number);
    // Gone by now: it went through, or its link is old. Then the list as it is says all there is.
    document.querySelector(`[data-tab=${item?.state === 'held' ? 'held' : item ? 'waiting' : 'held'}]`)?.click();
    const row = [...document.querySelectorAll('[role=tabpanel]:not([hidden]) .item')].find((one) => one.dataset.number === number);
    if (!row) return;
    const details = row.querySelector('details');
    if (details) details.open = true;
    row.scrollIntoView({ block: 'center' });
    row.querySelector('button:not([hidden])')?.focus({ preventScroll: true });
  }
}

function named(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
