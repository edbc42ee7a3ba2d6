// Only signed-in people pass; the others sign in and come back to where they wanted to go.
import { Navigate, useLocation } from '@tanstack/react-router';
import { Failed, Skeleton } from '../components/States';
import { SessionProvider, useSessionQuery } from './session';
import { Shell } from './Shell';

export function Gate() {
  const session = useSessionQuery();
  const from = useLocation({ select: (one) => one.href });
  if (session.isPending) return <Skeleton lines={6} />;
  if (session.isError) return <Failed error={session.error} retry={() => void session.refetch()} />;
  if (!session.data) {
    // On its way already: this page stands until the other one is loaded.
    if (from.startsWith('/sign-in')) return <Skeleton lines={6} />;
    // The home page decides by itself where to go; naming it would only make the address longer.
    return <Navigate to="/sign-in" search={(from && from !== '/' ? { from } : {}) as never} replace />;
  }
  return (
    <SessionProvider session={session.data}>
      <Shell />
    </SessionProvider>
  );
}
