// @vitest-environment jsdom
// Parts that are fetched when needed: what happens where they do not come, and where the gateway has others.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fetched, isOutdated, keepFetching } from '../src/app/fetched';

const gone = () => new TypeError('Failed to fetch dynamically imported module');
const page = (entry: string) => async () => new Response(`<script type="module" src="${entry}"></script>`);

beforeEach(() => {
  document.head.innerHTML = '<script type="module" src="/console/assets/index-old.js"></script>';
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('says that the gateway is not reached, and the same part may come later', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('offline')));
  const load = vi.fn().mockRejectedValueOnce(gone()).mockResolvedValueOnce('part');
  await expect(fetched(load)).rejects.toMatchObject({ status: 0, code: 'unreachable' });
  await expect(fetched(load)).resolves.toBe('part');
});

it('is no reason for a new page while the gateway has the same console', async () => {
  vi.stubGlobal('fetch', page('/console/assets/index-old.js'));
  const fault = await fetched(() => Promise.reject(gone())).catch((error: unknown) => error);
  expect(isOutdated(fault)).toBe(false);
});

it('is outdated where the gateway has another console', async () => {
  vi.stubGlobal('fetch', page('/console/assets/index-new.js'));
  const fault = await fetched(() => Promise.reject(gone())).catch((error: unknown) => error);
  expect(isOutdated(fault)).toBe(true);
});

it('is asked for until it comes, where something waits for it', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('offline')));
  const load = vi.fn().mockRejectedValueOnce(gone()).mockRejectedValueOnce(gone()).mockResolvedValueOnce('part');
  const coming = keepFetching(load);
  await vi.advanceTimersByTimeAsync(10_000);
  await expect(coming).resolves.toBe('part');
  expect(load).toHaveBeenCalledTimes(3);
});
