// Every installed version: who signed and approved it, and what can be done with it.
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import type { PluginView, ReleaseView } from '../../api/schema';
import { useMay } from '../../app/session';
import { DataTable, type Column } from '../../components/DataTable';
import { Id, Time } from '../../components/Facts';
import { Icon } from '../../components/Icon';
import { Menu, type MenuItem } from '../../components/Menu';
import { Empty } from '../../components/States';
import { Tag } from '../../components/Status';
import { size } from '../../i18n/format';
import { useEnable, type PluginStep } from './actions';
import { compareVersions, signatureTone } from './facts';

export function Versions(props: { plugin: PluginView; ask: (step: PluginStep) => void }) {
  const { t } = useTranslation();
  const { plugin, ask } = props;
  const mayWrite = useMay('admin');
  const enable = useEnable(ask);
  const rows = [...plugin.releases].sort((one, other) => compareVersions(other.version, one.version));
  const menu = (one: ReleaseView): MenuItem[] => {
    const isServing = one.is_current && plugin.status === 'enabled';
    return [
      ...(one.is_approved ? [] : [{ key: 'approve', label: t('plugin.approve'), run: () => ask({ kind: 'approve', plugin, release: one }) }]),
      {
        key: 'remove',
        label: plugin.releases.length > 1 ? t('do.remove') : t('plugin.uninstall'),
        danger: true,
        blocked: isServing ? t('plugin.isServing') : undefined,
        run: () => ask({ kind: 'remove', plugin, version: one.version }),
      },
    ];
  };
  const columns: Column<ReleaseView>[] = [
    {
      key: 'version',
      title: t('plugin.version'),
      cell: (one) => (
        <span className="row">
          <code>
            <strong>{one.version}</strong>
          </code>
          {one.is_current && <Tag tone="ok">{t('plugin.isCurrent')}</Tag>}
          {one.version === plugin.previous_version && <Tag>{t('plugin.isPrevious')}</Tag>}
        </span>
      ),
    },
    { key: 'sha', title: 'sha256', cell: (one) => <Id value={one.package_sha256} /> },
    {
      key: 'signer',
      title: t('plugin.signature'),
      cell: (one) => (
        <Tag tone={signatureTone(one.signature.verdict)} title={one.signature.detail}>
          {one.signature.publisher || t(`signature.${one.signature.verdict}`, { defaultValue: one.signature.verdict })}
        </Tag>
      ),
    },
    {
      key: 'approval',
      title: t('plugin.approval'),
      cell: (one) =>
        one.approval ? (
          <span>
            {one.approval.by} · <Time at={one.approval.at} />
          </span>
        ) : (
          <Tag tone="warn">{t('plugin.notApproved')}</Tag>
        ),
    },
    { key: 'size', title: t('plugin.size'), num: true, cell: (one) => size(one.size_bytes) },
    {
      key: 'installed',
      title: t('plugin.installed'),
      cell: (one) => (
        <span>
          <Time at={one.created_at} /> <span className="muted">{one.installed_by}</span>
        </span>
      ),
    },
    ...(mayWrite
      ? [
          {
            key: 'do',
            title: <span className="visually-hidden">{t('do.actions')}</span>,
            cell: (one: ReleaseView) => (
              <span className="row end">
                {!(one.is_current && plugin.status === 'enabled') && (
                  <Button size="small" onClick={() => void enable(plugin, one.version)}>
                    {plugin.status === 'enabled' ? t('plugin.makeCurrent') : t('plugin.enable')}
                  </Button>
                )}
                <Menu label={t('do.actionsOf', { what: one.version })} items={menu(one)}>
                  <Icon name="more" />
                </Menu>
              </span>
            ),
          },
        ]
      : []),
  ];
  if (!rows.length) return <Empty icon="plugin" text={t('plugin.noVersions')} />;
  return <DataTable label={t('plugin.tab.versions')} rows={rows} columns={columns} id={(one) => one.version} />;
}
