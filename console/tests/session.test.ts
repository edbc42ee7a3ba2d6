// @vitest-environment jsdom
// Whose page it is: the session is shared by tabs, the page is not shared by people.
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SignedIn } from '../src/api/schema';
import { enter, expectSession, fetchSession, leave, whoWaits } from '../src/app/session';

const of = (userId: string) => ({ user: { user_id: userId, name: userId }, csrf: 'c' }) as SignedIn;
const reload = vi.fn();

afterEach(() => {
  leave();
  reload.mockReset();
  vi.unstubAllGlobals();
});

describe('a page of one person', () => {
  it('waits for them when they signed out in another tab', async () => {
    enter(of('ann'));
    expectSession(false);
    expect(await fetchSession()).toBeNull();
    expect(whoWaits()?.user.name).toBe('ann');
  });

  it('is not for somebody else who signed in in another tab', () => {
    vi.stubGlobal('location', { reload });
    enter(of('ann'));
    expect(enter(of('bob'))).toBeNull();
    expect(reload).toHaveBeenCalledTimes(1);
    expect(whoWaits()?.user.name).toBe('ann');
  });

  it('is for whoever comes after they signed out here', () => {
    enter(of('ann'));
    leave();
    expect(enter(of('bob'))?.user.name).toBe('bob');
  });
});
