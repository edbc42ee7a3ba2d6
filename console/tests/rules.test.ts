import { describe, expect, it } from 'vitest';
import { parseSearch, writeSearch } from '../src/app/address';
import { withFigures } from '../src/app/keepFresh';
import { includes } from '../src/app/session';
import { tokenIn } from '../src/app/setupToken';
import { lookOn, mergeRows } from '../src/components/paged';
import { csvCell, toCsv } from '../src/features/accounts/csv';
import { proposeId } from '../src/features/accounts/draft';
import { safeWay } from '../src/app/cameBack';
import { inOrder, missOf, shadowOf } from '../src/features/bindings/order';
import { issuesOf } from '../src/features/monitor/issues';
import { withEvent } from '../src/features/monitor/EventFeed';
import { compareVersions } from '../src/features/plugins/facts';
import { browserOf } from '../src/features/settings/Profile';
import { barsOf, outcomeOf } from '../src/features/trace/waterfall';
import type { AccountView, Binding, Monitor, PluginView, ProviderView, Step } from '../src/api/schema';

const step = (name: Step['step'], at: number, delivery = '', attempt = 0) =>
  ({ message_id: 'm', step: name, at, delivery_id: delivery, attempt_no: attempt }) as Step;
const binding = (id: string, over: Partial<Binding> = {}) =>
  ({ binding_id: id, channel: 'c', account_id: '*', peer_kind: '*', peer_id: '*', agent_id: id, priority: 0, is_enabled: true, created_at: 1, ...over }) as Binding;

describe('a list that is read again', () => {
  const id = (row: { id: string }) => row.id;
  it('changes known rows in place and counts new ones', () => {
    const shown = [{ id: 'b', n: 1 }, { id: 'a', n: 1 }];
    const { rows, fresh } = mergeRows(shown, [{ id: 'c', n: 1 }, { id: 'b', n: 2 }], id);
    expect(rows).toEqual([{ id: 'b', n: 2 }, { id: 'a', n: 1 }]);
    expect(fresh).toBe(1);
  });
});

describe('a page that holds little', () => {
  const { signal } = new AbortController();
  it('is looked on from until there is something to show', async () => {
    const asked: string[] = [];
    const page = await lookOn(
      async (cursor) => {
        asked.push(cursor);
        return asked.length < 4 ? { items: [], next_cursor: `c${asked.length}` } : { items: Array.from({ length: 30 }, (_, at) => at), next_cursor: 'rest' };
      },
      '',
      signal,
    );
    expect(asked).toEqual(['', 'c1', 'c2', 'c3']);
    expect([page.items.length, page.next_cursor]).toEqual([30, 'rest']);
  });
  it('ends with the list, and after a while without it', async () => {
    expect(await lookOn(async () => ({ items: [1] }), '', signal)).toEqual({ items: [1], next_cursor: '' });
    let calls = 0;
    const page = await lookOn(async () => ({ items: [], next_cursor: String(++calls) }), '', signal);
    expect([calls, page.next_cursor]).toEqual([12, '12']);
  });
});

describe('the address', () => {
  it('holds plain text and leaves out what is empty', () => {
    expect(writeSearch({ state: 'failed', q: '', n: undefined, text: 'a b&c' })).toBe('?state=failed&text=a+b%26c');
    expect(parseSearch('?state=failed&text=a+b%26c')).toEqual({ state: 'failed', text: 'a b&c' });
  });

  it('leads back into the console only', () => {
    expect(safeWay('/outbox?state=failed')).toBe('/outbox?state=failed');
    expect(safeWay('/console/outbox')).toBe('/outbox');
    for (const elsewhere of ['//evil.example', 'https://evil.example', '/\\evil.example', 'javascript:alert(1)', undefined]) {
      expect(safeWay(elsewhere)).toBeUndefined();
    }
  });
});

describe('the first-run token', () => {
  it('is found alone, in its link, and in the file that holds it', () => {
    for (const pasted of [' abc-_1 ', 'http://127.0.0.1:8080/console/#setup=abc-_1', '{"token":"abc-_1","expires_at":1}']) {
      expect(tokenIn(pasted)).toBe('abc-_1');
    }
  });
});

describe('roles', () => {
  it('include those below them; a user is none of the administrators', () => {
    expect([includes('admin', 'operator'), includes('operator', 'admin'), includes('viewer', 'viewer'), includes('user', 'viewer')]).toEqual([true, false, true, false]);
  });
});

describe('versions', () => {
  it('compare as SemVer says', () => {
    const order = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0', '1.2.0', '1.10.0'];
    expect([...order].reverse().sort(compareVersions)).toEqual(order);
    expect(compareVersions('1.0.0+a', '1.0.0+b')).toBe(0);
  });
});

describe('bindings', () => {
  it('are asked from the most exact on, then by priority, then by age', () => {
    const all = [binding('wide', { priority: 99 }), binding('peer', { peer_id: 'p' }), binding('younger', { account_id: 'a', created_at: 2 }), binding('older', { account_id: 'a' })];
    expect(inOrder(all).map((one) => one.binding_id)).toEqual(['peer', 'older', 'younger', 'wide']);
  });
  it('hide only those that take the same conversations', () => {
    const all = inOrder([binding('one', { priority: 1 }), binding('two'), binding('other', { account_id: 'a' })]);
    expect(shadowOf(all.find((one) => one.binding_id === 'two') as Binding, all)?.binding_id).toBe('one');
    expect(shadowOf(all.find((one) => one.binding_id === 'one') as Binding, all)).toBeUndefined();
  });
  it('say why they do not match', () => {
    const question = { channel: 'c', account_id: 'a', peer_kind: 'user', peer_id: 'p' };
    expect(missOf(binding('x', { account_id: 'b' }), question)).toBe('account_id');
    expect(missOf(binding('x', { is_enabled: false }), question)).toBe('off');
    expect(missOf(binding('x'), question)).toBeUndefined();
  });
});

describe('a trace', () => {
  const steps = [step('received', 0), step('parsed', 4), step('accepted', 5), step('turn_started', 25), step('answered', 1025), step('queued', 1025, 'd'), step('sending', 1030, 'd', 1), step('retried', 1090, 'd', 1), step('sending', 3090, 'd', 2), step('sent', 3150, 'd', 2)];
  it('tells work from waiting and each try from the next', () => {
    const { bars, length } = barsOf(steps, 10_000);
    expect(length).toBe(3150);
    expect(bars.map((one) => [one.name, one.kind, one.start, one.length])).toEqual([
      ['parse', 'work', 0, 4], ['store', 'work', 4, 1], ['laneWait', 'wait', 5, 20], ['agent', 'work', 25, 1000], ['enqueue', 'work', 1025, 0],
      ['outboxWait', 'wait', 1025, 5], ['send', 'fail', 1030, 60], ['outboxWait', 'wait', 1090, 2000], ['send', 'work', 3090, 60],
    ]);
    expect(outcomeOf(steps)).toBe('sent');
  });
  it('shows what is still going on up to now', () => {
    const open = steps.slice(0, 8);
    const { bars } = barsOf(open, 5_090);
    expect(bars.at(-1)).toMatchObject({ name: 'outboxWait', isOpen: true, start: 1090, length: 4000 });
    expect(outcomeOf(open)).toBe('open');
  });
  it('goes on from what was corrected in what went out in its place, and ends as that does', () => {
    const failed = [...steps.slice(0, 7), step('failed', 1090, 'd', 1)];
    const corrected = { ...step('corrected', 9000, 'd', 1), detail: { by: 'ann', successor: 'e' } } as unknown as Step;
    const queued = { ...step('queued', 9000, 'e'), detail: { by: 'ann', predecessor: 'd' } } as unknown as Step;
    const { bars } = barsOf([...failed, corrected, queued], 9_500);
    expect(bars.slice(-3).map((one) => [one.name, one.start, one.length])).toEqual([['rest', 1090, 7910], ['enqueue', 9000, 0], ['outboxWait', 9000, 500]]);
    expect(outcomeOf([...failed, corrected, queued])).toBe('open');
    expect(outcomeOf([...failed, corrected, queued, step('sent', 9600, 'e', 1)])).toBe('sent');
    expect(outcomeOf([...failed, corrected])).toBe('failed');
  });
  it('says the worst of several deliveries', () => {
    expect(outcomeOf([...steps, step('queued', 1025, 'e'), step('failed', 1100, 'e', 1)])).toBe('failed');
    expect(outcomeOf([step('received', 0), step('not_answered', 1)])).toBe('no_answer');
  });
});

describe('accounts', () => {
  const account = (over: Partial<AccountView>) => ({ account_uid: 'u', channel: 'c', account_id: 'a', status: 'enabled', ...over }) as AccountView;
  const serving = [{ channel: 'c', is_serving: true }] as ProviderView[];
  it('have an issue when their form, their provider or their platform fails', () => {
    const tripped = [{ runtime: { breakers: { u3: 'open', u4: 'closed' } } }] as unknown as PluginView[];
    const all = [account({ account_uid: 'u1', status: 'draft' }), account({ account_uid: 'u2', channel: 'gone' }), account({ account_uid: 'u3' }), account({ account_uid: 'u4' })];
    const known = { accounts: all, providers: serving, plugins: tripped, parked: [], tallies: new Map() };
    const said = (more: object) => issuesOf({ ...known, ...more }).map((one) => [one.account.account_uid, one.kind]);
    expect(said({})).toEqual([['u1', 'misconfigured'], ['u2', 'unserved'], ['u3', 'retrying']]);
    expect(said({ parked: ['u3', 'u4'] }).slice(2)).toEqual([['u3', 'reauth'], ['u4', 'reauth']]);
    const tally = (failed: number) => ({ tallies: new Map([['u4', { sent: 100, failed, last_at: 1 }]]) });
    expect(said(tally(5)).slice(3)).toEqual([['u4', 'failing']]);
    expect(said(tally(4)).slice(3)).toEqual([]);
  });
  it('propose an id that is free and well-formed', () => {
    expect(proposeId('Front Desk!', 'c', new Set())).toBe('front-desk');
    expect(proposeId('前台', 'c', new Set(['c']))).toBe('c-2');
  });
  it('are written as CSV that a spreadsheet runs nothing of', () => {
    expect(csvCell('=cmd()')).toBe(`"'=cmd()"`);
    expect(csvCell('say "hi"')).toBe('"say ""hi"""');
    expect(toCsv([account({ display_name: '+1', created_at: 0, updated_at: 0 })]).split('\r\n')[1]).toContain(`"'+1"`);
  });
});

describe('what the stream says', () => {
  it('adds an event once, newest first', () => {
    const event = (event_id: number) => ({ event_id, name: 'x', at: event_id }) as never;
    expect(withEvent(withEvent([event(1)], event(3)), event(3)).map((one) => one.event_id)).toEqual([3, 1]);
  });
  it('puts a new minute behind the others and the same one once', () => {
    const monitor = { figures: {}, minutes: [{ at: 1 }], last_minute: { at: 1 } } as unknown as Monitor;
    const said = { figures: { a: 1 }, last_minute: { at: 2 } } as never;
    const once = withFigures(monitor, said);
    expect(withFigures(once, said).minutes?.map((one) => one.at)).toEqual([1, 2]);
    expect(once.figures).toEqual({ a: 1 });
  });
});

describe('browsers', () => {
  it('are named so that one recognises one’s own', () => {
    expect(browserOf('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36')).toBe('Chrome 140 · macOS');
    expect(browserOf('curl/8.1')).toBe('curl 8');
  });
});
