// Sending again: first what it would be, by account and plugin, then a job that can be watched.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import type { Job, Preview, ReplayFilter, ReplayGroup } from '../../api/schema';
import { act } from '../../app/confirmed';
import { say } from '../../app/notices';
import { Confirm } from '../../components/Confirm';
import { DataTable, type Column } from '../../components/DataTable';
import { Icon } from '../../components/Icon';
import { Failed, Skeleton } from '../../components/States';
import { Status } from '../../components/Status';
import { Cause } from './Causes';

export type ReplayWhat = { kind: 'ids'; ids: string[]; force?: boolean } | { kind: 'filter'; filter: ReplayFilter };

function bodyOf(what: ReplayWhat) {
  return what.kind === 'ids' ? { ids: what.ids, force: what.force ?? false } : { filter: what.filter };
}

export function ReplayDialog(props: { what: ReplayWhat; close: () => void; done: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { what } = props;
  const preview = useQuery({
    queryKey: ['replay-preview', what],
    queryFn: async () => (await take(api.POST('/wunder/admin/channels/outbox/replay', { body: { ...bodyOf(what), dry_run: true } }))) as Preview,
    gcTime: 0,
    staleTime: 0,
  });
  const total = preview.data?.total ?? 0;
  const unknown = preview.data?.groups.filter((one) => one.state === 'unknown').reduce((sum, one) => sum + one.count, 0) ?? 0;
  const arrived = preview.data?.groups.filter((one) => one.state === 'sent').reduce((sum, one) => sum + one.count, 0) ?? 0;
  const columns: Column<ReplayGroup>[] = [
    { key: 'account', title: t('account.name'), cell: (one) => `${one.channel}/${one.account_id}` },
    { key: 'plugin', title: t('plugin.name'), cell: (one) => one.plugin_id || <span className="muted">–</span> },
    { key: 'state', title: t('outbox.state'), cell: (one) => <Status kind="delivery" state={one.state} /> },
    { key: 'cause', title: t('outbox.cause'), cell: (one) => <Cause kind={one.error_kind} /> },
    { key: 'count', title: t('outbox.count'), num: true, cell: (one) => one.count },
  ];
  return (
    <Confirm
      title={t('outbox.replayTitle')}
      action={total ? t('outbox.replayCount', { count: total }) : t('outbox.replay')}
      danger={arrived > 0}
      disabled={total === 0}
      typed={total > 100 ? String(total) : undefined}
      close={props.close}
      run={async () => {
        const job = (await act(() => api.POST('/wunder/admin/channels/outbox/replay', { body: bodyOf(what) }))) as Job;
        say(t('outbox.ordered', { count: job.total }));
        void client.invalidateQueries({ queryKey: ['jobs'] });
        void client.invalidateQueries({ queryKey: ['delivery'] });
        props.done();
      }}
    >
      {preview.isPending ? (
        <Skeleton lines={3} />
      ) : preview.error ? (
        <Failed error={preview.error} compact retry={() => void preview.refetch()} />
      ) : (
        <>
          <p>{total ? t('outbox.previewText', { count: total }) : t('outbox.previewNone')}</p>
          {unknown > 0 && (
            <div className="note warn">
              <Icon name="warning" />
              {t('outbox.mayTwice', { count: unknown })}
            </div>
          )}
          {arrived > 0 && (
            <div className="note warn">
              <Icon name="warning" />
              {t('outbox.twice')}
            </div>
          )}
          {total > 0 && (
            <div className="card">
              <DataTable
                label={t('outbox.replayTitle')}
                rows={preview.data.groups}
                columns={columns}
                id={(one) => [one.channel, one.account_id, one.plugin_id, one.state, one.error_kind].join('/')}
              />
            </div>
          )}
        </>
      )}
    </Confirm>
  );
}
