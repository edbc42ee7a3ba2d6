import { describe, expect, it } from 'vitest';
import { clock, count, duration, moment, percent, relative, shortId, size } from '../src/i18n/format';

const NOW = Date.UTC(2026, 10, 23, 9, 14, 5);

describe('times', () => {
  it('say how long ago in the largest unit that fits, in both languages', () => {
    expect(relative(NOW - 3 * 60_000, NOW, 'en')).toBe('3 min. ago');
    expect(relative(NOW - 3 * 60_000, NOW, 'zh-CN')).toBe('3分钟前');
    expect(relative(NOW - 26 * 3_600_000, NOW, 'en')).toBe('yesterday');
    expect(relative(NOW + 42_000, NOW, 'en')).toBe('in 42 sec.');
    expect(relative(NOW - 200, NOW, 'en')).toBe('now');
  });

  it('say a moment on 24 hours with two digits each', () => {
    const at = new Date(2026, 0, 2, 3, 4, 5).getTime();
    expect(moment(at)).toBe('2026-01-02 03:04:05');
    expect(clock(at)).toBe('03:04:05');
  });
});

describe('durations', () => {
  it.each([
    [0, '0 ms'],
    [0.4, '<1 ms'],
    [412, '412 ms'],
    [1_240, '1.24 s'],
    [12_340, '12.3 s'],
    [185_000, '3 m 05 s'],
    [7_800_000, '2 h 10 m'],
    [90_000_000, '1 d 1 h'],
  ])('%d ms are said as %s', (ms, said) => expect(duration(ms)).toBe(said));
});

describe('numbers', () => {
  it('say sizes in units of 1000', () => {
    expect(size(999)).toBe('999 B');
    expect(size(1_500)).toBe('1.5 kB');
    expect(size(523_000)).toBe('523 kB');
    expect(size(1_234_567)).toBe('1.2 MB');
  });

  it('group counts and shorten millions', () => {
    expect(count(12_345, 'en')).toBe('12,345');
    expect(count(1_234_567, 'en')).toBe('1.2M');
    expect(count(0.25, 'en')).toBe('0.3');
    expect(count(Number.NaN, 'en')).toBe('–');
  });

  it('never call it 100 % where something is missing, nor 0 % where there is something', () => {
    expect(percent(1)).toBe('100 %');
    expect(percent(0.99999)).toBe('99.9 %');
    expect(percent(0.00001)).toBe('0.1 %');
    expect(percent(0.5)).toBe('50 %');
  });

  it('keep both ends of a long id and all of a short one', () => {
    expect(shortId('01a2077b4bf967fc2426a407ee2f2faf')).toBe('01a207…2f2faf');
    expect(shortId('short')).toBe('short');
  });
});
