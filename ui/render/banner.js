// Says when what is shown is not how it is: stale is never shown as fresh.

import { setHidden, setText } from '../dom.js';
import { moment } from '../format.js';
import { words } from '../words.js';

// ShopSync says something every three seconds, and makes a new snapshot at least every thirty.
const SILENT = 10_000;
const SILENT_HIDDEN = 90_000;
const OLD = 90_000;

export function createBanner(root) {
  const opened = new Date();
  let lastHeard = null;
  let isLocked = false;

  return {
    heard() {
      lastHeard = new Date();
      isLocked = false;
    },
    locked() {
      isLocked = true;
    },
    /** Whether the page is stale now; shows why. */
    assess(now, snapshot) {
      const text = reason(now, snapshot);
      setText(root, text ?? '');
      setHidden(root, text === null);
      return text !== null;
    },
  };

  function reason(now, snapshot) {
    if (isLocked) return words.locked;
    const patience = document.hidden ? SILENT_HIDDEN : SILENT;
    if (lastHeard === null) return now - opened > patience ? words.staleNever : null;
    if (now - lastHeard > patience) return words.stale(moment(lastHeard, now));
    const made = new Date(snapshot.at);
    return now - made > OLD ? words.stale(moment(made, now)) : null;
  }
}
