// Parts of the page that are fetched when they are needed: asked for again where the network failed, and the page
// anew where the gateway has another console by now.
import { lazy, type ComponentType } from 'react';
import { ApiError } from '../api/client';

const AGAIN_MS = 2_000;
/** A page that was loaded anew for nothing must not do so for ever. */
const ONCE_IN_MS = 60_000;
const RELOADED = 'wunder.reloaded';
let hasFailed = false;

/** Tell whether a part is missing that only a new page has. */
export function isOutdated(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'outdated';
}

/** Fetch a part. Raises: ApiError `unreachable`, or `outdated` where only a new page has it. */
export async function fetched<T>(load: () => Promise<T>): Promise<T> {
  const again = hasFailed;
  try {
    // What failed once is not asked for again by the loader of parts.
    if (again) await styleAgain();
    return await load();
  } catch {
    hasFailed = true;
    const isOld = (await hasOther()) || (again && (await givesParts()));
    throw new ApiError(0, isOld ? { code: 'outdated' } : {});
  }
}

/** Fetch a part, however long it takes: what waits for it cannot do without. */
export async function keepFetching<T>(load: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await fetched(load);
    } catch (error) {
      if (isOutdated(error)) loadAnew();
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

/** Return a component that is fetched when it is first shown, however long it takes. */
export function lazily<P extends object>(load: () => Promise<ComponentType<P>>) {
  return lazy(async () => ({ default: await keepFetching(load) }));
}

/** Load the whole page anew, once in a while. */
export function loadAnew(): void {
  if (Date.now() - Number(sessionStorage.getItem(RELOADED) ?? 0) < ONCE_IN_MS) return;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
}

/** Ask for the page that the gateway has now: another first file means another console. */
async function hasOther(): Promise<boolean> {
  const ours = entry();
  if (!ours) return false;
  try {
    const answer = await fetch(import.meta.env.BASE_URL, { cache: 'no-store' });
    return answer.ok && !(await answer.text()).includes(ours);
  } catch {
    return false;
  }
}

/**
 * Tell whether the gateway gives its files. Where it does, a part that fails once more was not asked for: for as long
 * as a page lives, Chromium 150 remembers a module that did not come (whatwg/html issue 6768).
 */
async function givesParts(): Promise<boolean> {
  const ours = entry();
  if (!ours) return false;
  try {
    return (await fetch(ours, { cache: 'no-store' })).ok;
  } catch {
    return false;
  }
}

/** Return the address of this page's first file. */
function entry(): string | null | undefined {
  return document.querySelector('script[type="module"][src]')?.getAttribute('src');
}

/** Ask once more for the styles that did not come. */
async function styleAgain(): Promise<void> {
  const missing = [...document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]')].filter((one) => !one.sheet);
  await Promise.all(
    missing.map(async (old) => {
      const link = old.cloneNode() as HTMLLinkElement;
      const came = new Promise((resolve, reject) => {
        link.onload = resolve;
        link.onerror = reject;
      });
      old.replaceWith(link);
      await came;
    }),
  );
}
