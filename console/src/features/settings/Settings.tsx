// The gateway as it is set, and which channels people may connect by themselves.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Switch } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import { localName, useProviders } from '../../api/lists';
import type { NodeView, ProviderView } from '../../api/schema';
import { act } from '../../app/confirmed';
import { complain } from '../../app/notices';
import { useMay } from '../../app/session';
import { DataTable, type Column } from '../../components/DataTable';
import { Pairs, Time } from '../../components/Facts';
import { Card, Monogram, Page } from '../../components/Page';
import { Empty, Failed, Skeleton } from '../../components/States';
import { Status, Tag, type Tone } from '../../components/Status';
import { count, size } from '../../i18n/format';
import { choices } from '../accounts/choices';

export function SettingsPage() {
  const { t } = useTranslation();
  return (
    <Page title={t('nav.settings')}>
      <div className="columns">
        <div className="stack">
          <OpenChannels />
          <Nodes />
        </div>
        <div className="stack">
          <Gateway />
          <Card title={t('settings.where')}>
            <p className="second">{t('settings.whereText')}</p>
          </Card>
        </div>
      </div>
    </Page>
  );
}

function OpenChannels() {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const mayWrite = useMay('admin');
  const providers = useProviders();
  const [busy, setBusy] = useState('');
  const open = async (one: ProviderView, isOpen: boolean) => {
    setBusy(one.channel);
    try {
      await act(() =>
        api.PATCH('/wunder/admin/channels/providers/{channel}', { params: { path: { channel: one.channel } }, body: { user_visible: isOpen } }),
      );
      await client.invalidateQueries({ queryKey: ['providers'] });
    } catch (error) {
      complain(error);
    } finally {
      setBusy('');
    }
  };
  const columns: Column<ProviderView>[] = [
    {
      key: 'name',
      title: t('account.channel'),
      cell: (one) => (
        <span className="row">
          <Monogram name={localName(one.name, one.i18n, i18n.language)} />
          <strong>{localName(one.name, one.i18n, i18n.language)}</strong>
          <code className="muted">{one.channel}</code>
        </span>
      ),
    },
    { key: 'source', title: t('plugin.serving'), cell: (one) => `${t(`state.serving.${one.source}`)} ${one.version.replace(/^builtin@/, '')}` },
    { key: 'state', title: t('plugin.status'), cell: (one) => <Status kind="runtime" state={one.state} /> },
    {
      key: 'open',
      title: t('settings.openToUsers'),
      cell: (one) => (
        <Switch
          size="small"
          checked={one.is_user_visible}
          disabled={!mayWrite}
          loading={busy === one.channel}
          aria-label={t('settings.openThis', { name: one.channel })}
          onChange={(isOpen) => void open(one, isOpen)}
        />
      ),
    },
  ];
  return (
    <Card title={t('settings.channels')} flush>
      <p className="second" style={{ padding: '10px 16px', borderBottom: '1px solid var(--line)' }}>
        {t('settings.channelsText')}
      </p>
      {providers.isPending ? (
        <Skeleton lines={5} />
      ) : !providers.data ? (
        <Failed error={providers.error} retry={() => void providers.refetch()} />
      ) : providers.data.items.length === 0 ? (
        <Empty icon="plugin" text={t('gallery.none')} />
      ) : (
        <DataTable label={t('settings.channels')} rows={offered(providers.data.items)} columns={columns} id={(one) => one.channel} />
      )}
    </Card>
  );
}

/** What people choose from, and what is open to users all the same: it has to be seen to be closed. */
function offered(providers: ProviderView[]): ProviderView[] {
  const among = new Set(choices(providers));
  return providers.filter((one) => among.has(one) || one.is_user_visible);
}

/** The processes that serve together, and whose lease runs out. */
function Nodes() {
  const { t } = useTranslation();
  const nodes = useQuery({ queryKey: ['nodes'], queryFn: () => take(api.GET('/wunder/admin/nodes')), refetchInterval: 10_000 });
  const columns: Column<NodeView>[] = [
    {
      key: 'node',
      title: t('runtime.node'),
      cell: (one) => (
        <span className="row">
          <code>{one.node_id}</code>
          {one.is_this && <Tag tone="ok">{t('profile.this')}</Tag>}
        </span>
      ),
    },
    { key: 'state', title: t('plugin.status'), cell: (one) => <Status kind="node" state={one.state} tone={NODE_TONES[one.state] ?? 'off'} /> },
    { key: 'version', title: t('plugin.version'), cell: (one) => <code>{one.version}</code> },
    { key: 'host', title: t('settings.host'), cell: (one) => <span title={`${one.platform} · Python ${one.python}`}>{one.host}</span> },
    { key: 'plugins', title: t('tabs.plugins'), num: true, cell: (one) => one.plugins.length },
    { key: 'started', title: t('settings.started'), cell: (one) => <Time at={one.started_at} /> },
    { key: 'seen', title: t('profile.seen'), cell: (one) => <Time at={one.seen_at} /> },
  ];
  return (
    <Card title={t('settings.nodes')} flush>
      {nodes.isPending ? (
        <Skeleton lines={2} />
      ) : !nodes.data ? (
        <Failed error={nodes.error} retry={() => void nodes.refetch()} />
      ) : (
        <DataTable label={t('settings.nodes')} rows={nodes.data.items} columns={columns} id={(one) => one.node_id} />
      )}
    </Card>
  );
}

const NODE_TONES: Record<string, Tone> = { serving: 'ok', draining: 'busy', dead: 'err', stopped: 'off' };

function Gateway() {
  const { t, i18n } = useTranslation();
  const monitor = useQuery({ queryKey: ['monitor'], queryFn: () => take(api.GET('/wunder/admin/channels/monitor')) });
  const figures = (monitor.data?.figures ?? {}) as Record<string, number>;
  const n = (name: string) => (figures[name] === undefined ? '' : count(figures[name], i18n.language));
  const inbound = Object.entries(figures)
    .filter(([name]) => name.startsWith('channel_messages_') && name !== 'channel_messages_out')
    .reduce((sum, [, value]) => sum + value, 0);
  return (
    <Card title={t('settings.gateway')}>
      {monitor.isPending ? (
        <Skeleton lines={4} />
      ) : !monitor.data ? (
        <Failed error={monitor.error} compact retry={() => void monitor.refetch()} />
      ) : (
        <Pairs
          of={[
            [t('plugin.version'), <code key="version">{monitor.data.version}</code>],
            [t('settings.serving'), String(monitor.data.channels_serving)],
            [t('settings.messagesIn'), count(inbound, i18n.language)],
            [t('settings.messagesOut'), n('channel_messages_out')],
            [t('nav.sessions'), n('channel_sessions')],
            [t('settings.events'), n('channel_events')],
            [t('settings.spool'), n('channel_spool')],
            [t('settings.wal'), figures.wal_bytes ? size(figures.wal_bytes) : ''],
            ['API', <a key="api" href="/wunder/openapi.json" target="_blank" rel="noopener">openapi.json</a>],
            [t('settings.metrics'), <a key="metrics" href="/metrics" target="_blank" rel="noopener">/metrics</a>],
          ]}
        />
      )}
    </Card>
  );
}
