// @vitest-environment jsdom
// Parts that are fetched when needed: what happens where they do not come, and where the gateway has others.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

const gone = () => new TypeError('Failed to fetch dynamically imported module');
let parts: typeof import('../src/app/fetched');
const page = (entry: string) => async () => new Response(`<script type="module" src="${entry}"></script>`);

beforeEach(async () => {
  // A page that was just loaded: nothing has failed in it.
  vi.resetModules();
  parts = await import('../src/app/fetched');
  document.head.innerHTML = '<script type="module" src="/console/assets/index-old.js"></script>';
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('says that the gateway is not reached, and the same part may come later', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('offline')));
  const load = vi.fn().mockRejectedValueOnce(gone()).mockResolvedValueOnce('part');
  await expect(parts.fetched(load)).rejects.toMatchObject({ status: 0, code: 'unreachable' });
  await expect(parts.fetched(load)).resolves.toBe('part');
});

it('is no reason for a new page while the gateway has the same console', async () => {
  vi.stubGlobal('fetch', page('/console/assets/index-old.js'));
  const fault = await parts.fetched(() => Promise.reject(gone())).catch((error: unknown) => error);
  expect(parts.isOutdated(fault)).toBe(false);
});

it('is outdated where the gateway has another console', async () => {
  vi.stubGlobal('fetch', page('/console/assets/index-new.js'));
  const fault = await parts.fetched(() => Promise.reject(gone())).catch((error: unknown) => error);
  expect(parts.isOutdated(fault)).toBe(true);
});

it('comes with a new page, where the browser does not ask again for what failed once', async () => {
  vi.stubGlobal('fetch', page('/console/assets/index-old.js'));
  const load = () => Promise.reject(gone());
  const first = await parts.fetched(load).catch((error: unknown) => error);
  expect(parts.isOutdated(first)).toBe(false);
  const second = await parts.fetched(load).catch((error: unknown) => error);
  expect(parts.isOutdated(second)).toBe(true);
});

it('stays where it is while only the page, and no part of it, is to be had', async () => {
  const answer = page('/console/assets/index-old.js');
  vi.stubGlobal('fetch', (url: string) => (url.includes('assets') ? Promise.reject(gone()) : answer()));
  const load = () => Promise.reject(gone());
  for (const _ of [1, 2]) {
    const fault = await parts.fetched(load).catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: 'unreachable' });
  }
});

it('is asked for until it comes, where something waits for it', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('offline')));
  const load = vi.fn().mockRejectedValueOnce(gone()).mockRejectedValueOnce(gone()).mockResolvedValueOnce('part');
  const coming = parts.keepFetching(load);
  await vi.advanceTimersByTimeAsync(10_000);
  await expect(coming).resolves.toBe('part');
  expect(load).toHaveBeenCalledTimes(3);
});
