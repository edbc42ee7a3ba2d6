// Each plugin's health in one line, worst first.
import { Link, useNavigate } from '@tanstack/react-router';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { usePlugins } from '../../api/lists';
import type { PluginView } from '../../api/schema';
import { useMay } from '../../app/session';
import { DataTable, type Column } from '../../components/DataTable';
import { Card } from '../../components/Page';
import { Empty, Failed, Skeleton } from '../../components/States';
import { Status } from '../../components/Status';
import { size } from '../../i18n/format';
import { p95Of } from '../plugins/facts';

export function PluginHealth() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const plugins = usePlugins();
  const mayWrite = useMay('admin');
  const columns: Column<PluginView>[] = [
    {
      key: 'id',
      title: t('plugin.name'),
      cell: (one) => (
        <span className="row">
          <strong>{one.plugin_id}</strong>
          <code className="muted">{one.current_version}</code>
        </span>
      ),
    },
    {
      key: 'state',
      title: t('plugin.status'),
      cell: (one) =>
        one.status === 'enabled' && one.serving === 'plugin' ? (
          <Status kind="runtime" state={one.runtime?.state ?? 'stopped'} detail={one.runtime?.last_error} />
        ) : (
          <Status kind="plugin" state={one.status} detail={one.last_error} />
        ),
    },
    { key: 'p95', title: t('plugin.sendP95'), num: true, cell: (one) => p95Of(one) },
    { key: 'flight', title: t('plugin.inFlight'), num: true, cell: (one) => one.runtime?.in_flight ?? '–' },
    { key: 'restarts', title: t('plugin.restarts'), num: true, cell: (one) => one.runtime?.restarts ?? '–' },
    {
      key: 'memory',
      title: t('plugin.memory'),
      num: true,
      cell: (one) => (one.runtime?.memory_bytes ? size(one.runtime.memory_bytes) : '–'),
    },
  ];
  const rows = [...(plugins.data?.items ?? [])].sort((one, other) => badness(other) - badness(one));
  return (
    <Card title={t('monitor.pluginHealth')} flush actions={<Link to="/plugins">{t('do.all')}</Link>}>
      {plugins.isPending ? (
        <Skeleton lines={3} />
      ) : plugins.error && !plugins.data ? (
        <Failed error={plugins.error} retry={() => void plugins.refetch()} />
      ) : rows.length === 0 ? (
        <Empty
          icon="plugin"
          text={t('plugin.none')}
          hint={t('plugin.noneHint')}
          action={mayWrite && <Button onClick={() => void navigate({ to: '/plugins/upload' })}>{t('plugin.upload')}</Button>}
        />
      ) : (
        <DataTable
          label={t('monitor.pluginHealth')}
          rows={rows}
          columns={columns}
          id={(one) => one.plugin_id}
          open={(one) => void navigate({ to: '/plugins/$pluginId', params: { pluginId: one.plugin_id } })}
        />
      )}
    </Card>
  );
}

/** The slowest method's p95: what a person waits for. */
function badness(plugin: PluginView): number {
  if (plugin.status === 'error') return 3;
  if (plugin.status === 'disabled') return 0;
  return plugin.runtime && plugin.runtime.state !== 'ready' && plugin.serving === 'plugin' ? 2 : 1;
}
