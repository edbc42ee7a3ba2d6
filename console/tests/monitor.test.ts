import { describe, expect, it } from 'vitest';
import { marksWithin, stackedUp } from '../src/components/plotted';
import { changeOf, comparisonOf, differenceOf, faultsByKind, hourAgo, pointsOf, successOf } from '../src/features/monitor/hours';
import { arrivedOf } from '../src/features/monitor/issues';
import { marksOf } from '../src/features/monitor/marks';
import type { Event, Minute } from '../src/api/schema';

const minute = (at: number, over: Partial<Minute> = {}) => ({ at, ...over }) as Minute;
const event = (name: string, at: number, plugin = 'p') => ({ name, at, plugin_id: plugin, event_id: at }) as Event;

describe('an hour beside the one before', () => {
  it('says which part of what ended has arrived, and nothing where nothing ended', () => {
    expect(successOf({ sent: 3, failed: 1 })).toBe(0.75);
    expect(successOf({ sent: 0, failed: 2 })).toBe(0);
    expect(successOf({ sent: 0, failed: 0 })).toBeNull();
    expect(successOf(null)).toBeNull();
  });

  it('compares only with what is kept and was something', () => {
    expect(changeOf(150, 100)).toEqual({ by: 0.5, as: 'part' });
    expect(changeOf(5, 0)).toBeNull();
    expect(changeOf(5, undefined)).toBeNull();
    expect(changeOf(null, 5)).toBeNull();
    expect(differenceOf(5, 0)).toEqual({ by: 5, as: 'plain' });
    expect(differenceOf(5, undefined)).toBeNull();
    expect(pointsOf(0.998, 1)).toEqual({ by: -0.2, as: 'points' });
    expect(pointsOf(null, 1)).toBeNull();
  });

  it('is the hour before or the same one a day earlier, and where it is not kept it is said from when on it will be', () => {
    const hour = 3_600_000;
    const young = { minutes: [minute(60_000, { dead: 1 })], last_minute: minute(3 * hour), last_hour: minute(3 * hour), hour_before: minute(2 * hour), day_before: null, kept_since: 0 };
    expect(comparisonOf(young, 'hour')).toEqual({ before: young.hour_before, then: young.minutes[0], from: null });
    expect(comparisonOf(young, 'day')).toEqual({ before: null, then: undefined, from: 25 * hour });
    const old = { ...young, last_hour: minute(26 * hour), day_before: minute(2 * hour, { dead: 4 }) };
    expect(comparisonOf(old, 'day')).toEqual({ before: old.day_before, then: old.day_before, from: null });
    expect(comparisonOf({ ...old, day_before: null }, 'day')).toEqual({ before: null, then: undefined, from: null });
  });

  it('finds the minute of an hour ago, or none in a gateway that is younger', () => {
    const minutes = [minute(0, { waiting: 1 }), minute(60_000, { waiting: 2 }), minute(120_000, { waiting: 3 })];
    expect(hourAgo({ minutes, last_minute: minute(3_661_000) })?.waiting).toBe(2);
    expect(hourAgo({ minutes, last_minute: minute(3_000_000) })).toBeUndefined();
  });
});

describe('tries that failed', () => {
  it('are told apart by kind, the most frequent first', () => {
    const minutes = [minute(1, { faults: { timeout: 1 } }), minute(2), minute(3, { faults: { busy: 5, timeout: 1 } })];
    expect(faultsByKind(minutes)).toEqual([
      { kind: 'busy', values: [0, 0, 5] },
      { kind: 'timeout', values: [1, 0, 1] },
    ]);
  });

  it('are one where they are rare and there are many kinds', () => {
    const found = faultsByKind([minute(1, { faults: { a: 9, b: 8, c: 7, d: 6, e: 2, f: 1 } })]);
    expect(found.map((one) => one.kind)).toEqual(['a', 'b', 'c', 'd', 'other']);
    expect(found.at(-1)?.values).toEqual([3]);
  });

  it('stand on each other, the last at the bottom', () => {
    expect(stackedUp([{ label: 'a', values: [1, null] }, { label: 'b', values: [2, 3] }])).toEqual([[3, 3], [2, 3]]);
  });
});

describe('what the charts mark', () => {
  it('is a change of version, and a start that none has caused', () => {
    const events = [event('plugin_started', 500_000), event('plugin_enabled', 100_000), event('plugin_started', 99_000), event('plugin_started', 99_000, 'q')];
    expect(marksOf(events, 0).map(({ at, kind, event: of }) => [at, kind, of.plugin_id])).toEqual([
      [99_000, 'restart', 'q'],
      [100_000, 'version', 'p'],
      [500_000, 'restart', 'p'],
    ]);
  });

  it('leaves out what was before, and what is neither', () => {
    expect(marksOf([event('plugin_enabled', 10), event('plugin_ready', 30), event('delivery_failed', 30)], 20)).toEqual([]);
  });

  it('is said in the row of the table within which it was', () => {
    const marks = [{ at: 5, kind: 'version' as const, text: 'one' }, { at: 10, kind: 'restart' as const, text: 'two' }, { at: 11, kind: 'restart' as const, text: 'three' }];
    expect(marksWithin(marks, 4, 10)).toBe('one; two');
  });
});

describe('how much of an account arrives', () => {
  it('is what did not fail of what was to be sent', () => {
    expect(arrivedOf({ sent: 200, failed: 1 })).toBe(0.995);
    expect(arrivedOf({ sent: 1, failed: 3 })).toBe(0);
    expect(arrivedOf({ sent: 0, failed: 0 })).toBeNull();
    expect(arrivedOf(undefined)).toBeNull();
  });
});
