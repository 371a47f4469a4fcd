// Learns how the page is to speak and look, then puts it together. Without an answer the system's own is taken.

import { get } from './api.js';
import { speak } from './words.js';

const AT_MOST = 1500;

const { ok, body } = await get('/api/settings', AT_MOST);
const settings = new Map(ok ? body.groups.flatMap((group) => group.fields).map((field) => [field.key, field.value]) : []);
speak(settings.get('desktop.language') ?? 'system');
document.documentElement.dataset.theme = settings.get('desktop.theme') ?? 'system';
await import('./page.js');
