// What was set aside: requests and messages that could not be understood or stored; tried again, or dropped.
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import { useChannelChoices, useChannelName } from '../../api/lists';
import type { QuarantineItem } from '../../api/schema';
import { useAddress } from '../../app/address';
import { act } from '../../app/confirmed';
import { complain, say } from '../../app/notices';
import { useMay } from '../../app/session';
import { Confirm } from '../../components/Confirm';
import { PagedTable, type Column } from '../../components/DataTable';
import { Id, Pairs, Raw, Time } from '../../components/Facts';
import { ChoiceFilter, Filters, NothingHere } from '../../components/Filters';
import { MonitorTabs } from '../../components/MonitorTabs';
import { Card, Page } from '../../components/Page';
import { Panel } from '../../components/Panel';
import { usePaged } from '../../components/paged';
import { Failed, Skeleton } from '../../components/States';
import { Tag } from '../../components/Status';
import { size } from '../../i18n/format';

const FILTERS = ['channel'];

export function QuarantinePage() {
  const { t } = useTranslation();
  const [search, change] = useAddress();
  const channels = useChannelChoices();
  const channelName = useChannelName();
  const mayOperate = useMay('operator');
  const [dropping, setDropping] = useState('');
  const canRetry = useShown(search.item ?? '').data?.can_retry ?? false;
  const id = useCallback((one: QuarantineItem) => one.quarantine_id, []);
  const list = usePaged<QuarantineItem>({
    key: ['quarantine', search.channel ?? ''],
    fetch: (cursor, signal) =>
      take(
        api.GET('/wunder/admin/channels/quarantine', {
          params: { query: { limit: 50, ...(search.channel ? { channel: search.channel } : {}), ...(cursor ? { cursor } : {}) } },
          signal,
        }),
      ),
    id,
    follows: (event) => event.type === 'figures' || event.type === 'webhook',
  });
  const [isTrying, setTrying] = useState(false);
  const retry = async (item: string) => {
    setTrying(true);
    try {
      await act(() => api.POST('/wunder/admin/channels/quarantine/{quarantine_id}/retry', { params: { path: { quarantine_id: item } } }));
      say(t('quarantine.tried'));
      change({ item: '' });
      list.reload();
    } catch (error) {
      complain(error);
    } finally {
      setTrying(false);
    }
  };
  const columns: Column<QuarantineItem>[] = [
    { key: 'at', title: t('quarantine.received'), cell: (one) => <Time at={one.received_at} /> },
    { key: 'kind', title: t('quarantine.kind'), cell: (one) => <Tag>{one.is_request ? t('quarantine.request') : t('quarantine.message')}</Tag> },
    { key: 'reason', title: t('quarantine.reason'), cell: (one) => t(`quarantine.reasons.${one.reason}`, { defaultValue: one.reason.replaceAll('_', ' ') }) },
    {
      key: 'detail',
      title: t('trace.detail'),
      cell: (one) => (
        <span className="truncate second" style={{ display: 'block', maxWidth: 320 }} title={one.detail}>
          {one.detail || '–'}
        </span>
      ),
    },
    {
      key: 'account',
      title: t('account.name'),
      cell: (one) => (
        <span className="row">
          {one.account_id} <span className="muted">{channelName(one.channel)}</span>
        </span>
      ),
    },
    { key: 'plugin', title: t('plugin.name'), cell: (one) => (one.plugin_id ? `${one.plugin_id} ${one.version}` : <span className="muted">–</span>) },
    { key: 'size', title: t('plugin.size'), num: true, cell: (one) => size(one.size_bytes) },
  ];
  return (
    <>
      <MonitorTabs />
      <Page title={t('tabs.quarantine')}>
        <Card flush>
          <Filters names={FILTERS}>
            <ChoiceFilter name="channel" label={t('account.channel')} options={channels} width={180} />
          </Filters>
          <PagedTable
            label={t('tabs.quarantine')}
            list={list}
            columns={columns}
            id={id}
            current={search.item}
            open={(one) => change({ item: one.quarantine_id })}
            empty={<NothingHere names={FILTERS} icon="check" text={t('quarantine.none')} hint={t('quarantine.noneHint')} />}
          />
        </Card>
      </Page>
      {search.item && (
        <Panel
          title={t('quarantine.one')}
          label={t('quarantine.one')}
          close={() => change({ item: '' })}
          actions={
            mayOperate && (
              <>
                <Button size="small" type="primary" loading={isTrying} disabled={!canRetry} title={canRetry ? undefined : t('quarantine.excerpt')} onClick={() => void retry(search.item ?? '')}>
                  {t('quarantine.retry')}
                </Button>
                <Button size="small" danger onClick={() => setDropping(search.item ?? '')}>
                  {t('quarantine.drop')}
                </Button>
              </>
            )
          }
        >
          <Shown key={search.item} itemId={search.item} />
        </Panel>
      )}
      {dropping && (
        <Confirm
          title={t('quarantine.dropTitle')}
          action={t('quarantine.drop')}
          danger
          close={() => setDropping('')}
          run={async () => {
            await act(() => api.DELETE('/wunder/admin/channels/quarantine/{quarantine_id}', { params: { path: { quarantine_id: dropping } } }));
            change({ item: '' });
            list.reload();
          }}
        >
          <p>{t('quarantine.dropText')}</p>
        </Confirm>
      )}
    </>
  );
}

function useShown(itemId: string) {
  return useQuery({
    queryKey: ['quarantine', 'one', itemId],
    queryFn: () => take(api.GET('/wunder/admin/channels/quarantine/{quarantine_id}', { params: { path: { quarantine_id: itemId } } })),
    enabled: itemId !== '',
  });
}

function Shown(props: { itemId: string }) {
  const { t } = useTranslation();
  const channelName = useChannelName();
  const shown = useShown(props.itemId);
  if (shown.isPending) return <Skeleton lines={6} />;
  if (!shown.data) return <Failed error={shown.error} retry={() => void shown.refetch()} />;
  const { item, body } = shown.data;
  return (
    <div className="stack wide">
      <Pairs
        of={[
          [t('quarantine.reason'), t(`quarantine.reasons.${item.reason}`, { defaultValue: item.reason })],
          [t('trace.detail'), item.detail],
          [t('account.name'), `${item.account_id} · ${channelName(item.channel)}`],
          [t('plugin.name'), item.plugin_id && `${item.plugin_id} ${item.version}`],
          [t('quarantine.received'), <Time key="at" at={item.received_at} absolute />],
          [t('plugin.size'), size(item.size_bytes)],
          ['ID', <Id key="id" value={item.quarantine_id} full />],
        ]}
      />
      <section className="stack tight">
        <h3>{t('quarantine.content')}</h3>
        <p className="meta">{t('quarantine.contentHint')}</p>
        <Raw text={body} label={t('quarantine.content')} />
      </section>
    </div>
  );
}
