// Numbers, amounts and times as a shop in India reads them. Pure: `now` is always an argument.

import { language, words } from './words.js';

const locale = `${language}-IN`;
const time = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' });
const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const full = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** 1234567 as 12,34,567. */
export function count(number) {
  return grouped(String(number));
}

/** The text 123456.5 as ₹ 1,23,456.50; digits are moved, never calculated with. Null where it is no amount. */
export function money(text) {
  const parts = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!parts) return null;
  const [, sign, whole, fraction = ''] = parts;
  return `${sign ? '−' : ''}₹\u00a0${grouped(whole)}.${fraction.padEnd(2, '0')}`;
}

/** When, without saying more than is needed. */
export function moment(date, now) {
  if (sameDay(date, now)) return time.format(date);
  const before = new Date(now);
  before.setDate(before.getDate() - 1);
  if (sameDay(date, before)) return words.yesterday(time.format(date));
  return `${day.format(date)}, ${time.format(date)}`;
}

/** When, all of it. */
export function exact(date) {
  return full.format(date);
}

/** How long ago; a moment in the future counts as now, since two clocks are never the same. */
export function ago(date, now) {
  const minutes = Math.floor((now - date) / 60_000);
  if (minutes < 1) return words.justNow;
  if (minutes < 60) return words.minutesAgo(minutes);
  if (minutes < 360 && sameDay(date, now)) return words.hoursAgo(Math.floor(minutes / 60));
  return moment(date, now);
}

/** How long ago, in days where it is days. */
export function age(date, now) {
  const days = Math.floor((now - date) / 86_400_000);
  return days < 2 ? ago(date, now) : words.daysAgo(days);
}

/** Today's time as `today 9:02 am`, else as `moment`. */
export function onDay(date, now) {
  return sameDay(date, now) ? words.todayAt(time.format(date)) : moment(date, now);
}

/** The day alone: `25 Nov`. */
export function dayOf(date) {
  return day.format(date);
}

/** 44040192 as 42 MB. */
export function size(bytes) {
  let [number, unit] = [bytes, 0];
  while (number >= 1024 && unit < UNITS.length - 1) [number, unit] = [number / 1024, unit + 1];
  return words.bytes(unit > 1 && number < 10 ? number.toFixed(1).replace(/\.0$/, '') : String(Math.round(number)), UNITS[unit]);
}

/** How long still. */
export function until(date, now) {
  const seconds = Math.ceil((date - now) / 1000);
  if (seconds <= 0) return words.now;
  if (seconds < 90) return words.inSeconds(seconds);
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return words.inMinutes(minutes);
  return words.inHours(Math.floor(minutes / 60), minutes % 60);
}

/** 430 as 430 ms, 1430 as 1.4 s. */
export function duration(milliseconds) {
  if (milliseconds < 1000) return words.milliseconds(milliseconds);
  return words.seconds((milliseconds / 1000).toFixed(milliseconds < 10_000 ? 1 : 0));
}

export function sameDay(one, other) {
  return one.toDateString() === other.toDateString();
}

function grouped(digits) {
  if (digits.length <= 3) return digits;
  const head = digits.slice(0, -3).replace(/\B(?=(\d{2})+$)/g, ',');
  return `${head},${digits.slice(-3)}`;
}
