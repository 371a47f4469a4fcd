// Puts the page together: what is heard goes to the parts, a tick a second keeps times and freshness true.

import { send } from './api.js';
import { follow } from './live.js';
import { createNav } from './nav.js';
import { createAbout } from './render/about.js';
import { createActivity } from './render/activity.js';
import { createBackups } from './render/backups.js';
import { createBanner } from './render/banner.js';
import { createCards } from './render/cards.js';
import { createCharts } from './render/charts.js';
import { createControls } from './render/controls.js';
import { createMode } from './render/mode.js';
import { createProblems } from './render/problems.js';
import { createScan } from './render/scan.js';
import { createSettings } from './render/settings.js';
import { createSetup } from './render/setup.js';
import { createState } from './render/state.js';
import { createTabs } from './render/tabs.js';
import { createSeek } from './seek.js';
import { said } from './sentences.js';
import { words } from './words.js';

const byId = (id) => document.getElementById(id);
const SAID_FOR = 7000;

let snapshot = null;
let saying = 0;

const banner = createBanner(byId('banner'));
const nav = createNav(byId('nav'), byId('page'), {
  today: byId('overview'),
  activity: createActivity(say),
  problems: createProblems(command),
  backups: createBackups(command),
  settings: createSettings(command, say),
  about: createAbout(say),
  setup: createSetup(say),
});
const parts = [
  createMode(byId('mode')),
  createState(byId('sentence'), byId('summary'), byId('state-icon'), byId('favicon')),
  createControls(byId('controls'), command),
  createCards(byId('cards'), byId('product-problems')),
  createScan(byId('scan')),
  createTabs(byId('tabs'), byId('panels'), command, say),
  createCharts(byId('charts')),
  nav,
  createSeek(),
];

follow({
  heard(news) {
    banner.heard();
    if (news) {
      snapshot = news;
      const now = new Date();
      for (const part of parts) part.update(snapshot, now);
    }
    freshen();
  },
  locked() {
    banner.locked();
    freshen();
  },
});

setInterval(freshen, 1000);

/** Times move on, and what is no longer true is no longer shown as if it were. */
function freshen() {
  const now = new Date();
  const stale = banner.assess(now, snapshot);
  document.body.classList.toggle('stale', stale);
  for (const part of parts) part.tick(now, stale);
}

/** Asks ShopSync for something and says what it said. */
async function command(wish) {
  const answer = await send(wish);
  if (answer.locked) banner.locked();
  say(answer.sentence ?? words.noAnswer, answer.ok);
  freshen();
  return answer.ok;
}

function say(sentence, ok = true) {
  const place = byId('said');
  place.textContent = said(sentence);
  place.dataset.tone = ok ? 'good' : 'bad';
  place.classList.add('shown');
  clearTimeout(saying);
  saying = setTimeout(() => place.classList.remove('shown'), SAID_FOR);
}
