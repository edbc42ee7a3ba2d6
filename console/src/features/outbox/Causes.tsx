// Why deliveries did not arrive, counted: one cause may be one fault to mend, and then one replay.
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import type { Preview, ReplayFilter, ReplayGroup } from '../../api/schema';
import { useAddress } from '../../app/address';
import { DataTable, type Column } from '../../components/DataTable';
import { Card } from '../../components/Page';
import { Failed } from '../../components/States';
import { causesOf, type CauseCount } from './causeCounts';

/** What a try failed with, in words; the code on hover. */
export function Cause(props: { kind: string }) {
  const { t } = useTranslation();
  return <span title={props.kind}>{props.kind ? t(`fault.${props.kind}`, { defaultValue: props.kind }) : t('outbox.noCause')}</span>;
}

export function Causes(props: { filter: ReplayFilter }) {
  const { t } = useTranslation();
  const [search, change] = useAddress();
  // A look at one cause must not hide the others.
  const filter = { ...props.filter, error_kind: '' };
  const preview = useQuery({
    queryKey: ['deliveries', 'causes', filter],
    queryFn: async () => (await take(api.POST('/wunder/admin/channels/outbox/replay', { body: { filter, dry_run: true } }))) as Preview,
    placeholderData: (old: Preview | undefined) => old,
    refetchInterval: 30_000,
  });
  if (preview.error && !preview.data) return <Failed error={preview.error} compact retry={() => void preview.refetch()} />;
  const rows = causesOf((preview.data?.groups ?? []) as ReplayGroup[]);
  // One cause alone is what every row says already.
  if (rows.length < 2 && !search.cause) return null;
  const columns: Column<CauseCount>[] = [
    { key: 'cause', title: t('outbox.cause'), cell: (one) => <Cause kind={one.kind} /> },
    { key: 'where', title: t('tabs.accounts'), cell: (one) => <span className="truncate" style={{ display: 'block', maxWidth: 420 }}>{one.accounts.join(', ')}</span> },
    { key: 'plugins', title: t('tabs.plugins'), cell: (one) => one.plugins.join(', ') || <span className="muted">–</span> },
    { key: 'count', title: t('outbox.count'), num: true, cell: (one) => one.count },
  ];
  return (
    <Card title={t('outbox.causes')} flush>
      <DataTable
        label={t('outbox.causes')}
        rows={rows}
        columns={columns}
        id={(one) => one.kind}
        current={search.cause}
        open={(one) => change({ cause: one.kind === search.cause ? '' : one.kind })}
      />
    </Card>
  );
}
