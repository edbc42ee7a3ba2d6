// On coming back from signing in elsewhere: that it worked, or why not, is in the address behind the #.
import { expectSession } from './session';

const WAY = 'wunder.way-back';
let fault = '';

/** Remember where the reader wanted to go, before the browser is sent to another site. */
export function goingAway(from: string | undefined): void {
  if (from) sessionStorage.setItem(WAY, from);
  else sessionStorage.removeItem(WAY);
}

/** Take what the gateway says out of the address, and stand where the reader wanted to go. */
export function takeReturn(): void {
  const found = /^#(?:signed_in|oidc_error=([\w-]*))$/.exec(location.hash);
  if (!found) return;
  const from = sessionStorage.getItem(WAY);
  sessionStorage.removeItem(WAY);
  if (found[1] !== undefined) {
    fault = found[1] || 'any';
    expectSession(false);
    const search = from ? `?from=${encodeURIComponent(from)}` : '';
    history.replaceState(null, '', `/console/sign-in${search}`);
    return;
  }
  // The cookie is out of sight of scripts: only the gateway can say that there is one.
  expectSession(true);
  history.replaceState(null, '', `/console${safeWay(from) ?? '/'}`);
}

/** Return why signing in elsewhere failed just now; empty where it did not. */
export function faultOfReturn(): string {
  return fault;
}

/** An address inside the console, or nothing: a link must not lead elsewhere after sign-in. */
export function safeWay(from: string | null | undefined): string | undefined {
  return from && /^\/(?![/\\])/.test(from) ? from.replace(/^\/console(?=\/)/, '') : undefined;
}
