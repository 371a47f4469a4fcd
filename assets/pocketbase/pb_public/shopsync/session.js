// By ShopSync. Who looks at the page, and how PocketBase is asked as that user.
//
// The login lies where PocketBase's own library keeps it, so that it is one with the shop's app: who is signed in there
// is signed in here, and the other way round.

const STORE = 'pocketbase_auth';

const WORDS = {
  title: 'Invoices',
  signIn: 'Sign in',
  hint: 'With your login of the billing app.',
  identity: 'Email or user name',
  password: 'Password',
  signingIn: 'Signing in…',
  wrong: 'The email or the password is wrong.',
  moreSteps: 'This login needs one more step. Sign in to the billing app itself, then open this page again.',
  tooMany: 'Too many tries. Wait a minute, then try again.',
  away: 'The billing app is not answering. Please try again.',
  ended: 'Your login has ended. Please sign in again.',
};

/** The user whom the page shows itself to. */
let shownTo = '';

/** The page with the list where a login is, else the form that leads to it. */
export function open(place, list) {
  addEventListener('storage', () => { if (userOf(stored()) !== shownTo) location.reload(); });
  const { token } = stored();
  if (!token) return signIn(place, list);
  if (hasEnded(token)) return end(place, list);
  shownTo = userOf(stored());
  list(place);
}

/** A login that counts no more: says so and asks for another. */
export function end(place, list) {
  signIn(place, list, WORDS.ended);
}

/** The form, after forgetting any login. */
export function signIn(place, list, notice = WORDS.hint) {
  localStorage.removeItem(STORE);
  shownTo = '';
  const identity = el('input', { name: 'identity', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', required: '' });
  const password = el('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: '' });
  const wrong = el('p', { class: 'wrong', role: 'alert' });
  const button = el('button', { class: 'primary' }, WORDS.signIn);
  const form = el('form', { class: 'sign-in' },
    el('h1', {}, WORDS.title), el('p', { class: 'soft', role: 'status' }, notice),
    el('label', {}, WORDS.identity, identity), el('label', {}, WORDS.password, password), wrong, button);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    button.textContent = WORDS.signingIn;
    wrong.textContent = '';
    try {
      keep(await ask('collections/{{users}}/auth-with-password', { identity: identity.value.trim(), password: password.value }));
    } catch ({ status }) {
      wrong.textContent = { 0: WORDS.away, 400: WORDS.wrong, 429: WORDS.tooMany }[status] ?? WORDS.moreSteps;
      button.disabled = false;
      button.textContent = WORDS.signIn;
      return;
    }
    list(place);
    place.querySelector('h1').focus();
  });
  place.replaceChildren(form);
}

/** Asks PocketBase; throws `{ status }`, which is 0 where nobody answers. */
export async function ask(path, body) {
  const { token } = stored();
  let answer;
  try {
    answer = await fetch(new URL(`../api/${path}`, import.meta.url), {
      method: body ? 'POST' : 'GET',
      headers: { ...(token && { Authorization: token }), ...(body && { 'Content-Type': 'application/json' }) },
      body: body && JSON.stringify(body),
      cache: 'no-store',
      signal: AbortSignal.timeout(20_000),
    });
    const json = answer.status === 204 ? {} : await answer.json();
    if (answer.ok) return json;
  } catch {
    throw { status: 0 };
  }
  throw { status: answer.status >= 500 ? 0 : answer.status };
}

/** Whether the login still counts. PocketBase never says so by itself: to it, who comes with an old one is a guest. */
export async function prove() {
  const before = stored();
  try {
    const { collectionId = '{{users}}' } = claims(before.token);
    const fresh = await ask(`collections/${encodeURIComponent(collectionId)}/auth-refresh`, {});
    // Signed out, or in as somebody else, meanwhile?
    if (stored().token === before.token) keep(fresh);
    return true;
  } catch (error) {
    if ([400, 401, 403, 404].includes(error.status)) return false;
    throw error;
  }
}

/** An element; what it holds is text or other elements, never markup. */
export function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function stored() {
  try {
    const { token = '', record, model } = JSON.parse(localStorage.getItem(STORE));
    return { token: String(token), record: record ?? model };
  } catch {
    return { token: '' };
  }
}

function keep({ token, record }) {
  // Older versions of the library look for `model`.
  localStorage.setItem(STORE, JSON.stringify({ token, record, model: record }));
  shownTo = userOf({ token, record });
}

function userOf({ token, record }) {
  return token ? String(record?.id ?? claims(token).id) : '';
}

function claims(token) {
  try {
    return JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
  } catch {
    return {};
  }
}

function hasEnded(token) {
  const { exp } = claims(token);
  return !exp || exp * 1000 <= Date.now();
}
