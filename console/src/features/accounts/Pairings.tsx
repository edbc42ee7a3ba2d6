// Strangers who asked to be let in: each by a code that they can say.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import type { AccountView, Pairing } from '../../api/schema';
import { act } from '../../app/confirmed';
import { complain, say } from '../../app/notices';
import { useMay } from '../../app/session';
import { DataTable, type Column } from '../../components/DataTable';
import { Id, Time } from '../../components/Facts';
import { Empty, Failed, Skeleton } from '../../components/States';
import { Status } from '../../components/Status';

export function Pairings(props: { account: AccountView }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const mayOperate = useMay('operator');
  const { channel, account_id } = props.account;
  const pairings = useQuery({
    queryKey: ['pairings', channel, account_id],
    queryFn: () => take(api.GET('/wunder/admin/channels/pairings', { params: { query: { channel, account_id } } })),
  });
  const decide = async (one: Pairing, what: 'approve' | 'reject') => {
    try {
      const path = { pairing: one.pairing_id };
      if (what === 'approve') {
        const done = await act(() => api.POST('/wunder/admin/channels/pairings/{pairing}/approve', { params: { path } }));
        say(t('pairing.approved', { count: done.answered }));
      } else {
        await act(() => api.POST('/wunder/admin/channels/pairings/{pairing}/reject', { params: { path } }));
        say(t('pairing.rejected'));
      }
    } catch (error) {
      complain(error);
    }
    void client.invalidateQueries({ queryKey: ['pairings'] });
  };
  const columns: Column<Pairing>[] = [
    { key: 'code', title: t('pairing.code'), cell: (one) => <code>{one.code || '–'}</code> },
    {
      key: 'who',
      title: t('pairing.who'),
      cell: (one) => (
        <span className="row">
          {one.peer_name && <strong>{one.peer_name}</strong>}
          <Id value={one.peer_id} />
        </span>
      ),
    },
    { key: 'state', title: t('account.status'), cell: (one) => <Status kind="pairing" state={one.state} tone={one.state === 'approved' ? 'ok' : one.state === 'pending' ? 'busy' : 'off'} /> },
    { key: 'at', title: t('pairing.asked'), cell: (one) => <Time at={one.created_at} /> },
    { key: 'by', title: t('pairing.by'), cell: (one) => one.decided_by || <span className="muted">–</span> },
    ...(mayOperate
      ? [
          {
            key: 'do',
            title: <span className="visually-hidden">{t('do.actions')}</span>,
            cell: (one: Pairing) =>
              one.state === 'pending' && (
                <span className="row end">
                  <Button size="small" type="primary" onClick={() => void decide(one, 'approve')}>
                    {t('pairing.approve')}
                  </Button>
                  <Button size="small" onClick={() => void decide(one, 'reject')}>
                    {t('pairing.reject')}
                  </Button>
                </span>
              ),
          },
        ]
      : []),
  ];
  if (pairings.isPending) return <Skeleton lines={3} />;
  if (!pairings.data) return <Failed error={pairings.error} retry={() => void pairings.refetch()} />;
  if (!pairings.data.items.length) {
    return <Empty icon="users" text={t('pairing.none')} hint={props.account.access.direct === 'pairing' ? t('pairing.noneHint') : t('pairing.offHint')} />;
  }
  return <DataTable label={t('account.tab.pairings')} rows={pairings.data.items} columns={columns} id={(one) => one.pairing_id} />;
}
