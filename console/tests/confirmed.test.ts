// A call that wants the password again waits for whoever asks, also where that is still to be fetched.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../src/api/client';
import type { SignedIn } from '../src/api/schema';
import { again, PASSWORD_NEEDED, whoAsks, whoBrings } from '../src/app/confirmed';
import { enter, leave, lose, whoWaits } from '../src/app/session';

const refused = () => new ApiError(403, { code: PASSWORD_NEEDED });
const stops: (() => void)[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

describe('a call that wants the password again', () => {
  it('is made once more after the password was given, by an asker that came only then', async () => {
    const call = vi.fn().mockRejectedValueOnce(refused()).mockResolvedValueOnce('done');
    const bring = vi.fn(() => void setTimeout(() => stops.push(whoAsks(async () => true))));
    stops.push(whoBrings(bring));
    await expect(again(call)).resolves.toBe('done');
    expect(bring).toHaveBeenCalledTimes(1);
    expect(call).toHaveBeenCalledTimes(2);
  });

  it('does not fetch an asker that is there', async () => {
    const bring = vi.fn();
    stops.push(whoBrings(bring), whoAsks(async () => true));
    await again(vi.fn().mockRejectedValueOnce(refused()).mockResolvedValueOnce(1));
    expect(bring).not.toHaveBeenCalled();
  });

  it('fails as it did where the reader gives no password, and where nobody can ask', async () => {
    stops.push(whoAsks(async () => false));
    const call = vi.fn().mockRejectedValue(refused());
    await expect(again(call)).rejects.toMatchObject({ code: PASSWORD_NEEDED });
    stops.pop()?.();
    await expect(again(call)).rejects.toMatchObject({ code: PASSWORD_NEEDED });
    expect(call).toHaveBeenCalledTimes(2);
  });
});

describe('a call that finds the session ended', () => {
  const ann = { csrf: 'c', user: { user_id: 'ann' } } as unknown as SignedIn;
  const ended = () => {
    lose();
    return new ApiError(401, { code: 'no_session' });
  };

  it('is made once more when the same person is back', async () => {
    const kept = new Map<string, string>();
    vi.stubGlobal('localStorage', { setItem: (key: string, value: string) => kept.set(key, value), removeItem: (key: string) => kept.delete(key) });
    enter(ann);
    const call = vi.fn().mockImplementationOnce(() => Promise.reject(ended())).mockResolvedValueOnce('done');
    const answer = again(call);
    await vi.waitFor(() => expect(whoWaits()).toBe(ann));
    expect(call).toHaveBeenCalledTimes(1);
    enter(ann);
    await expect(answer).resolves.toBe('done');
    expect(whoWaits()).toBeNull();
    leave();
  });

  it('fails where nobody was signed in, or who was has signed out', async () => {
    leave();
    await expect(again(vi.fn().mockImplementation(() => Promise.reject(ended())))).rejects.toMatchObject({ status: 401 });
    expect(whoWaits()).toBeNull();
  });
});
