// A call that wants the password again waits for whoever asks, also where that is still to be fetched.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../src/api/client';
import { again, PASSWORD_NEEDED, whoAsks, whoBrings } from '../src/app/confirmed';

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
