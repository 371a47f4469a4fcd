// By ShopSync. Opens the page: its current version, as badge.js tells it.

try {
  const { current } = await import('./badge.js');
  const { page, style } = await current;
  const sheet = document.createElement('link');
  sheet.rel = 'stylesheet';
  sheet.href = new URL(style, import.meta.url);
  const dressed = new Promise((done) => { sheet.onload = sheet.onerror = done; });
  document.head.append(sheet);
  const [{ start }] = await Promise.all([import(new URL(page, import.meta.url)), dressed]);
  start(document.querySelector('#page'));
} catch (error) {
  document.querySelector('#opening').textContent = 'The billing app is not answering. Look whether this phone is on the shop’s Wi-Fi, then open the page again.';
  // The app may just be starting: nobody should have to notice that it is there again.
  setTimeout(() => location.reload(), 3000);
  throw error;
}
