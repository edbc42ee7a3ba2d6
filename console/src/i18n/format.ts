// Times, numbers, sizes and durations as people read them. All input times are Unix ms.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
  ['second', 1_000],
];

/** Say how long ago, or in how long: "3 min ago", "2 分钟前". */
export function relative(at: number, now: number, locale: string): string {
  const delta = at - now;
  const said = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  if (Math.abs(delta) < 1_000) return said.format(0, 'second');
  for (const [unit, size] of UNITS) {
    if (Math.abs(delta) >= size) return said.format(Math.trunc(delta / size), unit);
  }
  return said.format(0, 'second');
}

/** Say the moment with date, in the reader's time zone: "2026-11-23 09:14:05". */
export function moment(at: number): string {
  const date = new Date(at);
  const two = (part: number) => String(part).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${clock(at)}`;
}

/** Say the time of day on 24 hours: "09:14:05". */
export function clock(at: number): string {
  const date = new Date(at);
  const two = (part: number) => String(part).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Say a duration in ms with three figures: "412 ms", "1.24 s", "3 m 05 s", "2 h 10 m". */
export function duration(ms: number): string {
  if (ms < 1) return ms <= 0 ? '0 ms' : '<1 ms';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(2)} s`;
  if (ms < MINUTE) return `${(ms / 1_000).toFixed(1)} s`;
  const two = (part: number) => String(part).padStart(2, '0');
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} m ${two(Math.floor((ms % MINUTE) / 1_000))} s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${two(Math.floor((ms % HOUR) / MINUTE))} m`;
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`;
}

/** Say a size: "523 kB", "1.2 MB"; units of 1000 as disks and networks count. */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(bytes < 10_000 ? 1 : 0)} kB`;
  if (bytes < 1_000_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`;
  return `${(bytes / 1_000_000_000).toFixed(2)} GB`;
}

/** Say a count: "12,345"; "1.2M" from a million on. */
export function count(value: number, locale: string): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1_000_000) {
    return new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 }).format(value);
  }
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : 1;
  return new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
}

/** Say a share of 1 as per cent: "99.8 %"; never 100 % where something is missing. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '–';
  const value = share * 100;
  if (share < 1 && value > 99.9) return '99.9 %';
  if (share > 0 && value < 0.1) return '0.1 %';
  return `${Number.isInteger(value) ? value : value.toFixed(1)} %`;
}

/** Shorten a long id to its ends: "01ab…9f3c". */
export function shortId(id: string, keep = 6): string {
  return id.length > keep * 2 + 2 ? `${id.slice(0, keep)}…${id.slice(-keep)}` : id;
}
