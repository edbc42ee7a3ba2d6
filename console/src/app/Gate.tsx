// Only signed-in people pass; the others sign in, and go on where they were or wanted to be.
import { onlineManager } from '@tanstack/react-query';
import { Navigate, useLocation } from '@tanstack/react-router';
import { Suspense, useEffect } from 'react';
import { Failed, Skeleton } from '../components/States';
import { lazily } from './fetched';
import { SessionProvider, useSessionQuery, whoWaits } from './session';
import { Shell } from './Shell';

const SignInAgain = lazily(async () => (await import('./SignInAgain')).SignInAgain);

export function Gate() {
  const session = useSessionQuery();
  const from = useLocation({ select: (one) => one.href });
  const waiting = session.data ? null : whoWaits();
  const isWaiting = waiting !== null;
  useEffect(() => {
    if (!isWaiting) return;
    // Nothing is asked in vain meanwhile; afterwards everything in sight is read again.
    onlineManager.setOnline(false);
    return () => onlineManager.setOnline(true);
  }, [isWaiting]);
  if (session.isPending) return <Skeleton lines={6} />;
  // A gateway that is away for a moment is no reason to take the page, and what is typed there, away.
  if (session.isError && session.data === undefined) return <Failed error={session.error} retry={() => void session.refetch()} />;
  const shown = session.data ?? waiting;
  if (!shown) {
    // On its way already: this page stands until the other one is loaded.
    if (from.startsWith('/sign-in')) return <Skeleton lines={6} />;
    // The home page decides by itself where to go; naming it would only make the address longer.
    // Nobody is there to be asked whether what was typed may go.
    return <Navigate to="/sign-in" search={(from && from !== '/' ? { from } : {}) as never} replace ignoreBlocker />;
  }
  return (
    <SessionProvider session={shown}>
      <Shell isResting={isWaiting} />
      {waiting && (
        <Suspense>
          <SignInAgain user={waiting.user} />
        </Suspense>
      )}
    </SessionProvider>
  );
}
