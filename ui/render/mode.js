// Says at the top when it is a trial, or when ShopSync only watches: whoever bills must know.

import { setHidden, setText } from '../dom.js';

export function createMode(root) {
  return {
    update(snapshot) {
      const text = snapshot.trial?.banner ?? '';
      setText(root, text);
      setHidden(root, text === '');
    },
    tick() {},
  };
}
