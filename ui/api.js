// What the page asks of ShopSync. Every answer is `{ ok, locked, ... }`; nothing throws.

const PATIENCE = 8000;
/** Something is tried out on another machine. */
export const LONG = 20_000;
/** A step of the first run: programs are started, and people are asked. A little more than ShopSync allows it. */
export const LONGEST = 160_000;

/** Whether this is a window of ShopSync's own: it has no downloads and no streams, only whole answers. */
export const IN_WINDOW = !location.protocol.startsWith('http') || location.hostname.endsWith('.localhost');

/** The state now, or the next one after a moment that is known: `{ ok, snapshot }`, null where nothing changed. */
export async function fetchStatus(after) {
  const answer = await get(after ? `/api/status?after=${encodeURIComponent(after)}` : '/api/status');
  return { ...answer, snapshot: answer.ok ? answer.body : null };
}

/** Asks for something: `{ ok, sentence }`, the sentence as ShopSync gave it, or null. */
export async function send(command) {
  return post('/api/command', command);
}

/** Reads: `{ ok, locked, status, body }`. */
export function get(path, patience = PATIENCE) {
  return ask(path, {}, patience);
}

/** Asks for something: as `get`, with `sentence` and the setting `field` it is about. */
export async function post(path, body = {}, patience = PATIENCE) {
  const options = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await ask(path, options, patience);
  const said = answer.body ?? {};
  return { ...answer, sentence: said.sentence ?? said.refused ?? said.error ?? null, field: said.field ?? null };
}

async function ask(path, options, patience) {
  try {
    const response = await fetch(path, {
      ...options,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(patience),
    });
    const json = (response.headers.get('content-type') ?? '').startsWith('application/json');
    const body = json ? await response.json() : null;
    return { ok: response.ok, locked: response.status === 401, status: response.status, body };
  } catch {
    return { ok: false, locked: false, status: 0, body: null };
  }
}
