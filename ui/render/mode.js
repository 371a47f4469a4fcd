// Says at the top when it is a trial, or when ShopSync only watches: whoever bills must know.

import { setHidden, setText } from '../dom.js';
import { said } from '../sentences.js';

export function createMode(root) {
  return {
    update(snapshot) {
      const text = said(snapshot.trial?.banner ?? '');
      setText(root, text);
      setHidden(root, text === '');
    },
    tick() {},
  };
}
