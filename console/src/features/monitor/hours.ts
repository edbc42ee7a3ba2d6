// The last hour beside the one before, or the same one a day earlier: what arrived of all that ended, and what changed.
import type { Minute, Monitor } from '../../api/schema';

const HOUR_MS = 3_600_000;
/** Minutes are kept 10 s apart: what is this much younger than an hour still counts as an hour ago. */
const SLACK_MS = 15_000;

/** How a figure differs from what it was: by a part of that, by points of 100, or in its own unit. */
export interface Change {
  by: number;
  as: 'part' | 'points' | 'plain';
}

/** Return which part of the deliveries that ended has arrived; null where none ended. */
export function successOf(hour: Pick<Minute, 'sent' | 'failed'> | null | undefined): number | null {
  const [sent, failed] = [hour?.sent ?? 0, hour?.failed ?? 0];
  return sent + failed > 0 ? sent / (sent + failed) : null;
}

/** Return the difference of two sums as a part of the earlier; null where either is unknown or there was nothing. */
export function changeOf(now: number | null | undefined, before: number | null | undefined): Change | null {
  if (now == null || !before) return null;
  return { by: (now - before) / before, as: 'part' };
}

/** Return the plain difference; null where either is unknown. */
export function differenceOf(now: number | null | undefined, before: number | null | undefined): Change | null {
  return now == null || before == null ? null : { by: now - before, as: 'plain' };
}

/** Return the difference of two shares of 1 in points of 100; null where either is unknown. */
export function pointsOf(now: number | null, before: number | null): Change | null {
  return now === null || before === null ? null : { by: Math.round((now - before) * 1000) / 10, as: 'points' };
}

/** Return the figures of an hour ago; undefined where they are not kept that long. */
export function hourAgo(monitor: Pick<Monitor, 'last_minute' | 'minutes'>): Minute | undefined {
  const then = (monitor.last_minute.at ?? 0) - HOUR_MS;
  return monitor.minutes?.findLast((one) => one.at <= then + SLACK_MS);
}

/** What the last hour is compared with: the hour before, or the same one of the day before. */
export type Against = 'hour' | 'day';

export interface Comparison {
  /** The hour that sums are compared with; null where it is not kept. */
  before: Minute | null;
  /** The figures as they stood then. */
  then: Minute | undefined;
  /** When it will be there; null where it is, or where nothing was kept at that time. */
  from: number | null;
}

/** So much has to be kept: the last hour and the one before, or a day and an hour. */
const NEEDED_MS: Record<Against, number> = { hour: 2 * HOUR_MS, day: 25 * HOUR_MS };

/** Return what the last hour is compared with, or when it can be. */
export function comparisonOf(monitor: Pick<Monitor, 'last_minute' | 'last_hour' | 'minutes' | 'hour_before' | 'day_before' | 'kept_since'>, against: Against): Comparison {
  const before = (against === 'day' ? monitor.day_before : monitor.hour_before) ?? null;
  const then = against === 'day' ? (before ?? undefined) : hourAgo(monitor);
  const from = monitor.kept_since + NEEDED_MS[against];
  return { before, then, from: before || from <= monitor.last_hour.at ? null : from };
}

/** How many kinds a chart tells apart; the rest is one. */
const MOST_KINDS = 4;

/** Return tries that did not send by kind of fault, the most frequent first; rarer kinds as "other". */
export function faultsByKind(minutes: readonly Pick<Minute, 'faults'>[]): { kind: string; values: number[] }[] {
  const sums = new Map<string, number>();
  for (const { faults } of minutes) for (const [kind, count] of Object.entries(faults ?? {})) sums.set(kind, (sums.get(kind) ?? 0) + count);
  const kinds = [...sums].sort(([, one], [, other]) => other - one).map(([kind]) => kind);
  const own = kinds.length > MOST_KINDS + 1 ? kinds.slice(0, MOST_KINDS) : kinds;
  const found = own.map((kind) => ({ kind, values: minutes.map((one) => one.faults?.[kind] ?? 0) }));
  const rest = kinds.slice(own.length);
  if (rest.length) found.push({ kind: 'other', values: minutes.map((one) => rest.reduce((sum, kind) => sum + (one.faults?.[kind] ?? 0), 0)) });
  return found;
}
