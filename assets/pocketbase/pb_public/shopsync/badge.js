// By ShopSync. Brings <sync-badge> into an app:  <script type="module" src="/shopsync/badge.js"></script>
//
// This name never changes, and this file hardly ever does. What it brings carries its version in its name and is asked
// for past every cache, so that a phone has the new one as soon as ShopSync has laid it down.

/** The names of the current versions. */
export const current = fetch(new URL('current.json', import.meta.url), { cache: 'no-store' })
  .then((answer) => answer.json());

await import(new URL((await current).badge, import.meta.url));
