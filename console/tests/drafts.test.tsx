// @vitest-environment jsdom
import { act, cleanup, renderHook } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import type { AccountView } from '../src/api/schema';
import { useDraft } from '../src/features/accounts/draft';

afterEach(cleanup);

const account = (rev: number, changes: object = {}) =>
  ({
    account_id: 'shop',
    display_name: 'Shop',
    provider_config: { app_id: '1', secret: { set: true }, sizes: { big: 1, small: 2 } },
    access: { direct: 'all' },
    delivery: {},
    status: 'enabled',
    rev,
    ...changes,
  }) as unknown as AccountView;

const writing = (first = account(1)) => renderHook(({ row }) => useDraft(row), { initialProps: { row: first } });

describe('a form that two people have open', () => {
  it('takes over what the other one saved while nothing is typed here', () => {
    const { result, rerender } = writing();
    rerender({ row: account(2, { display_name: 'Kiosk' }) });
    expect(result.current.draft.displayName).toBe('Kiosk');
    expect([result.current.rev, result.current.isChanged, result.current.theirs]).toEqual([2, false, []]);
  });

  it('says what the other one changed, and keeps the revision that was read', () => {
    const { result, rerender } = writing();
    act(() => result.current.change({ displayName: 'My shop' }));
    rerender({ row: account(2, { display_name: 'Kiosk', access: { direct: 'off' } }) });
    expect(result.current.draft.displayName).toBe('My shop');
    expect(result.current.rev).toBe(1);
    expect(result.current.theirs).toEqual([
      { pointer: '/displayName', before: 'Shop', theirs: 'Kiosk', mine: 'My shop', isClash: true },
      { pointer: '/access/direct', before: 'all', theirs: 'off', mine: 'all', isClash: false },
    ]);
  });

  it('keeps mine and takes over the rest', () => {
    const { result, rerender } = writing();
    act(() => result.current.form.change({ app_id: '1', sizes: { big: 5, small: 2 }, secret: 'new one' }, true));
    rerender({ row: account(2, { provider_config: { app_id: '9', secret: { set: true }, sizes: { big: 7, small: 3 } } }) });
    expect(result.current.theirs.map((one) => [one.pointer, one.isClash])).toEqual([
      ['/config/app_id', false],
      ['/config/sizes/big', true],
      ['/config/sizes/small', false],
    ]);
    act(() => result.current.keepMine());
    expect(result.current.draft.config).toEqual({ app_id: '9', sizes: { big: 5, small: 3 }, secret: 'new one' });
    expect([result.current.rev, result.current.isChanged, result.current.theirs]).toEqual([2, true, []]);
  });

  it('drops mine for theirs', () => {
    const { result, rerender } = writing();
    act(() => result.current.change({ displayName: 'My shop' }));
    rerender({ row: account(2, { display_name: 'Kiosk' }) });
    act(() => result.current.takeTheirs());
    expect([result.current.draft.displayName, result.current.rev, result.current.isChanged]).toEqual(['Kiosk', 2, false]);
  });

  it('goes on by itself where the other one changed nothing that stands in the form', () => {
    const { result, rerender } = writing();
    act(() => result.current.change({ displayName: 'My shop' }));
    rerender({ row: account(2, { status: 'disabled' }) });
    expect([result.current.draft.displayName, result.current.rev, result.current.theirs]).toEqual(['My shop', 2, []]);
  });

  it('shows that a secret was removed, and never a secret', () => {
    const { result, rerender } = writing();
    act(() => result.current.change({ displayName: 'My shop' }));
    rerender({ row: account(2, { provider_config: { app_id: '1', secret: { set: false }, sizes: { big: 1, small: 2 } } }) });
    expect(result.current.theirs).toEqual([{ pointer: '/secrets/~1secret', before: true, theirs: undefined, mine: true, isClash: false }]);
  });

  it('is not changed any more once it is saved, also where a secret was typed', () => {
    const { result, rerender } = writing();
    act(() => result.current.form.change({ app_id: '1', sizes: { big: 1, small: 2 }, secret: 'typed' }, true));
    act(() => result.current.settle(account(2), result.current.draft));
    rerender({ row: account(2) });
    expect([result.current.isChanged, result.current.rev, result.current.draft.config.secret]).toEqual([false, 2, undefined]);
  });

  it('keeps what is typed while it is being saved', () => {
    const { result, rerender } = writing();
    act(() => result.current.change({ displayName: 'First' }));
    act(() => result.current.form.change({ app_id: '1', sizes: { big: 1, small: 2 }, secret: 'typed' }, true));
    const sent = result.current.draft;
    act(() => result.current.change({ displayName: 'First and more' }));
    act(() => result.current.settle(account(2, { display_name: 'First' }), sent));
    rerender({ row: account(2, { display_name: 'First' }) });
    expect(result.current.draft.displayName).toBe('First and more');
    expect([result.current.isChanged, result.current.rev, result.current.draft.config.secret, result.current.theirs]).toEqual([true, 2, undefined, []]);
  });

  it('does not go back for an answer that is older than what was saved', () => {
    const { result, rerender } = writing();
    act(() => result.current.settle(account(3, { display_name: 'New' }), result.current.draft));
    rerender({ row: account(1, { display_name: 'Old' }) });
    expect([result.current.draft.displayName, result.current.theirs]).toEqual(['New', []]);
  });

  it('keeps what was typed when the form fills in a default afterwards', () => {
    const { result } = writing();
    act(() => result.current.form.change({ app_id: '2' }, true));
    act(() => result.current.form.change({ app_id: '2', mode: 'a' }, false));
    expect(result.current.isChanged).toBe(true);
  });
});
