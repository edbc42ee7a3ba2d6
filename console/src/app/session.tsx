// Who is signed in, and what their role lets them do.
import { useQuery } from '@tanstack/react-query';
import { createContext, use, type ReactNode } from 'react';
import { ApiError, api, setCsrf, take } from '../api/client';
import type { SignedIn } from '../api/schema';

export type Role = 'viewer' | 'operator' | 'admin' | 'user';
const RANK: Record<Role, number> = { user: 0, viewer: 1, operator: 2, admin: 3 };

export const SESSION_KEY = ['session'];

// The cookie is out of reach of scripts: this remembers that there may be one, so that a first visit
// does not begin with a refused request.
const MAYBE = 'wunder.maybe-signed-in';

/** Tell whether there may be a session: what is asked early is asked only then. */
export function maySignedIn(): boolean {
  return localStorage.getItem(MAYBE) !== null;
}

/** Remember that there may be a session now, or that there is none. */
export function expectSession(isExpected: boolean): void {
  if (isExpected) localStorage.setItem(MAYBE, '1');
  else localStorage.removeItem(MAYBE);
}

/** Act where another tab signs in or out: both share the session. */
export function whenElsewhere(act: () => void): void {
  window.addEventListener('storage', (event) => {
    if (event.key === MAYBE) act();
  });
}

/** Who was signed in when the session ended without their doing: their page waits for them. */
let holder: SignedIn | null = null;
let isEnded = false;
let waiting: (() => void)[] = [];

/** Take over a session that was opened just now, here or in another tab; null where it is not for this page. */
export function enter(session: SignedIn): SignedIn | null {
  if (holder && holder.user.user_id !== session.user.user_id) {
    // Nothing of one person's page is for another one. Until it is gone, it stays shut.
    isEnded = true;
    location.reload();
    return null;
  }
  holder = session;
  isEnded = false;
  setCsrf(session.csrf);
  expectSession(true);
  for (const go of waiting.splice(0)) go();
  return session;
}

/** The gateway says that the session is over. */
export function lose(): null {
  isEnded = holder !== null;
  setCsrf('');
  expectSession(false);
  return null;
}

/** Return whose page waits for them to sign in again; null where nobody's does. */
export function whoWaits(): SignedIn | null {
  return isEnded ? holder : null;
}

/** Resolve once they have signed in again. */
export function signedInAgain(): Promise<void> {
  return new Promise((resolve) => waiting.push(resolve));
}

/** Forget the session: its holder signed out. */
export function leave(): null {
  holder = null;
  isEnded = false;
  waiting = [];
  setCsrf('');
  expectSession(false);
  return null;
}

/** Return the session, or null where nobody is signed in. Raises: ApiError for any other answer. */
export async function fetchSession(): Promise<SignedIn | null> {
  // Signed out in another tab: this page waits, as for a session that ended, and nothing in it is shown.
  if (!maySignedIn()) return holder ? lose() : null;
  try {
    return enter(await take(api.GET('/wunder/session')));
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return lose();
    throw error;
  }
}

export function useSessionQuery() {
  return useQuery({ queryKey: SESSION_KEY, queryFn: fetchSession, staleTime: 60_000 });
}

const Current = createContext<SignedIn | null>(null);

export function SessionProvider(props: { session: SignedIn | null; children: ReactNode }) {
  return <Current value={props.session}>{props.children}</Current>;
}

/** Return who is signed in. Only below a page that needs it. */
export function useSession(): SignedIn {
  const session = use(Current);
  if (!session) throw new Error('This part is shown to signed-in people only.');
  return session;
}

/** Tell whether a role includes another one; `user` is beside the ladder of administrators. */
export function includes(role: Role, needed: Role): boolean {
  return RANK[role] >= RANK[needed];
}

/** Tell whether the reader may do what needs this role. */
export function useMay(needed: Role): boolean {
  return includes(useSession().user.role as Role, needed);
}
