// Where a reader begins: users at their channels, administrators at the monitor, newcomers at the welcome.
import { useQuery } from '@tanstack/react-query';
import { Navigate } from '@tanstack/react-router';
import { accountsQuery } from '../../api/query';
import { useSession } from '../../app/session';
import { Skeleton } from '../../components/States';

export function HomePage() {
  const { user } = useSession();
  const accounts = useQuery({
    ...accountsQuery,
    enabled: user.role !== 'user',
  });
  if (user.role === 'user') return <Navigate to="/me" replace />;
  if (accounts.isPending) return <Skeleton />;
  const isNew = accounts.data && accounts.data.items.length === 0;
  return <Navigate to={isNew ? '/welcome' : '/monitor'} replace />;
}
