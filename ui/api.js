// What the page asks of ShopSync. Every answer is `{ ok, locked, ... }`; nothing throws.

const PATIENCE = 8000;

/** The state now, or the next one after a moment that is known: `{ ok, snapshot }`, null where nothing changed. */
export async function fetchStatus(after) {
  const answer = await ask(after ? `/api/status?after=${encodeURIComponent(after)}` : '/api/status', {});
  return { ...answer, snapshot: answer.ok ? answer.body : null };
}

/** Asks for something: `{ ok, sentence }`, the sentence as ShopSync gave it, or null. */
export async function send(command) {
  const answer = await ask('/api/command', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(command),
  });
  return { ...answer, sentence: answer.body?.sentence ?? answer.body?.error ?? null };
}

async function ask(path, options) {
  try {
    const response = await fetch(path, {
      ...options,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE),
    });
    const body = response.status === 204 ? null : await response.json();
    return { ok: response.ok, locked: response.status === 401, body };
  } catch {
    return { ok: false, locked: false, body: null };
  }
}
