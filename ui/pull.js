// What is not part of the published state is read when that says that it changed, and now and then.

import { get } from './api.js';

const AGAIN = 60_000;
const AFTER_FAILURE = 5000;

/**
 * `pull(key)` reads `path` anew where `key` differs from the last one, or the last reading is old.
 * `heard(body)` gets what was read, null where it could not be read.
 */
export function createPull(path, heard) {
  let known = null;
  let at = 0;
  let busy = false;
  return async function pull(key) {
    const old = Date.now() - at > AGAIN;
    if (busy || (key === known && !old)) return;
    busy = true;
    const { ok, body } = await get(path);
    busy = false;
    at = ok ? Date.now() : Date.now() - AGAIN + AFTER_FAILURE;
    if (ok) known = key;
    heard(ok ? body : null);
  };
}
