import { describe, expect, it } from 'vitest';
import type { Binding, ReplayGroup, Review } from '../src/api/schema';
import { readChoice, shownOf } from '../src/components/columns';
import type { Column } from '../src/components/DataTable';
import { nextSort, sorted } from '../src/components/sorting';
import { exactness, inOrder, moved } from '../src/features/bindings/order';
import { causesOf } from '../src/features/outbox/causeCounts';
import { lackOf, mayArriveTwice, mayBeCorrected } from '../src/features/outbox/correction';
import { checksOf } from '../src/features/plugins/review';

describe('columns', () => {
  const columns = [{ key: 'name' }, { key: 'id', optional: 'shown' }, { key: 'made', optional: 'hidden' }] as Column<object>[];
  const keys = (choice: Record<string, boolean>) => shownOf(columns, choice).map((one) => one.key);
  it('are those that the table shows by itself, but for what was chosen', () => {
    expect(keys({})).toEqual(['name', 'id']);
    expect(keys({ id: false, made: true })).toEqual(['name', 'made']);
  });
  it('cannot be chosen away where nothing would be left to go by', () => {
    expect(keys({ name: false, id: false })).toEqual(['name']);
  });
  it('are as usual where what was kept cannot be read', () => {
    expect([readChoice(null), readChoice('no json'), readChoice('[1]'), readChoice('{"id":"yes","made":true}')]).toEqual([{}, {}, {}, { made: true }]);
  });
});

describe('sorting', () => {
  const rows = [{ n: 2, name: 'b' }, { n: 1, name: 'a' }, { n: 2, name: 'c' }];
  const columns = [{ key: 'n', sort: (one) => one.n }, { key: 'name', sort: (one) => one.name }, { key: 'other' }] as Column<(typeof rows)[number]>[];
  const names = (asked: string) => sorted(rows, columns, asked).map((one) => one.name).join('');
  it('goes up or down, keeps the order of what is alike, and leaves alone what it does not know', () => {
    expect([names('n'), names('-n'), names('-name'), names('other'), names('')]).toEqual(['abc', 'bca', 'cba', 'bac', 'bac']);
  });
  it('is turned by a second press and ended by a third', () => {
    expect([nextSort('', 'n'), nextSort('-n', 'n'), nextSort('n', 'n'), nextSort('-n', 'name')]).toEqual(['-n', 'n', '', '-name']);
  });
});

describe('bindings that are moved', () => {
  const binding = (id: string, priority: number, over: Partial<Binding> = {}) =>
    ({ binding_id: id, agent_id: id, channel: 'c', account_id: '*', peer_kind: '*', peer_id: '*', priority, created_at: Number(id), ...over }) as Binding;
  const after = (all: Binding[], from: number, to: number) => {
    const changes = new Map(moved(all, from, to).map((one) => [one.binding.binding_id, one.priority]));
    const next = inOrder(all.map((one) => ({ ...one, priority: changes.get(one.binding_id) ?? one.priority })));
    return [next.map((one) => one.binding_id).join(''), changes.size];
  };
  it('take one write where there is room', () => {
    const all = inOrder([binding('1', 30), binding('2', 20), binding('3', 10)]);
    expect([after(all, 0, 1), after(all, 2, 0), after(all, 0, 2)]).toEqual([['213', 1], ['312', 1], ['231', 1]]);
  });
  it('are numbered anew where there is none, and land where they were let go from anywhere', () => {
    const all = inOrder(['1', '2', '3', '4', '5'].map((id) => binding(id, 0)));
    for (let from = 0; from < 5; from++) {
      for (let to = 0; to < 5; to++) {
        const wanted = [...all];
        wanted.splice(to, 0, ...wanted.splice(from, 1));
        expect(after(all, from, to)[0]).toBe(wanted.map((one) => one.binding_id).join(''));
      }
    }
  });
  it('stay within what the gateway takes', () => {
    const all = inOrder([binding('1', 1_000_000), binding('2', 0)]);
    expect(after(all, 1, 0)).toEqual(['21', 2]);
    expect(moved(all, 0, 5)).toEqual([]);
  });
  it('are as exact as the gateway takes them to be', () => {
    expect(exactness(binding('1', 0, { channel: '*', peer_id: 'ann' }))).toBeGreaterThan(exactness(binding('2', 0, { account_id: 'a', peer_kind: 'user' })));
  });
});

describe('causes', () => {
  it('are summed over accounts and plugins, the most frequent first', () => {
    const group = (account_id: string, error_kind: string, count: number) => ({ channel: 'c', account_id, plugin_id: 'p', state: 'failed', error_kind, count }) as ReplayGroup;
    expect(causesOf([group('a', 'timeout', 1), group('a', 'auth_failed', 2), group('b', 'timeout', 4)])).toEqual([
      { kind: 'timeout', count: 5, accounts: ['c/a', 'c/b'], plugins: ['p'] },
      { kind: 'auth_failed', count: 2, accounts: ['c/a'], plugins: ['p'] },
    ]);
  });
});

describe('the checks of a package', () => {
  const review = {
    signature: { verdict: 'unsigned', policy: 'warn', detail: 'carries no signature' },
    fit: { can_start: true, platform: 'linux-amd64' },
    account_schema: {},
    manifest: { permissions: { network: ['a.example', '*.b.example', '*.c.example'] } },
    findings: [
      { code: 'network_wildcard', message: 'x', pointer: '/permissions/network/1' },
      { code: 'network_wildcard', message: 'x', pointer: '/permissions/network/2' },
      { code: 'unknown_field', message: 'y', pointer: '/colour' },
    ],
  } as unknown as Review;
  it('are one line for each code, with what the manifest says there', () => {
    expect(checksOf(review).map((one) => [one.code, one.state, one.places])).toEqual([
      ['signature', 'warn', []],
      ['network_wildcard', 'warn', ['*.b.example', '*.c.example']],
      ['unknown_field', 'warn', ['/colour']],
      ['structure', 'pass', []],
      ['manifest', 'pass', []],
      ['platform', 'pass', []],
      ['schema', 'pass', []],
    ]);
  });
});

describe('a text that is corrected', () => {
  it('is that of a delivery which is over, has not arrived for sure, and was not corrected before', () => {
    const states = ['pending', 'sending', 'sent', 'held', 'failed', 'expired', 'unknown', 'cancelled'] as const;
    expect(states.filter((state) => mayBeCorrected({ state, successor_id: '' }))).toEqual(['failed', 'expired', 'unknown', 'cancelled']);
    expect(mayBeCorrected({ state: 'failed', successor_id: 'next' })).toBe(false);
  });
  it('may stand beside the old one where that may have arrived, or a part of it', () => {
    expect([mayArriveTwice({ state: 'unknown', part: 0 }), mayArriveTwice({ state: 'failed', part: 1 }), mayArriveTwice({ state: 'failed', part: 0 })]).toEqual([true, true, false]);
  });
  it('has words, and other ones unless it was cancelled', () => {
    expect([lackOf(' ', 'a', 'failed'), lackOf('a', 'a', 'failed'), lackOf('b', 'a', 'failed'), lackOf('a', 'a', 'cancelled')]).toEqual(['empty', 'unchanged', null, null]);
  });
});
