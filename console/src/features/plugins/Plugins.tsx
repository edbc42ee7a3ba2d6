// Plugins: what is installed, what runs, what is wrong, and what can be done about it.
import { useNavigate } from '@tanstack/react-router';
import { Button } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { localName, usePlugins } from '../../api/lists';
import type { PluginView } from '../../api/schema';
import { useAddress } from '../../app/address';
import { useMay } from '../../app/session';
import { useColumns } from '../../components/columns';
import { DataTable, type Column } from '../../components/DataTable';
import { ChoiceFilter, Filters, NothingHere, SearchFilter } from '../../components/Filters';
import { Icon } from '../../components/Icon';
import { Menu } from '../../components/Menu';
import { MonitorTabs } from '../../components/MonitorTabs';
import { Card, Monogram, Page } from '../../components/Page';
import { Failed, Skeleton } from '../../components/States';
import { Status, Tag } from '../../components/Status';
import { size } from '../../i18n/format';
import { PluginDialog, usePluginActions, type PluginStep } from './actions';
import { manifestOf, p95Of, signatureTone } from './facts';

const FILTERS = ['q', 'status', 'runtime'];

export function PluginsPage() {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const plugins = usePlugins();
  const [search] = useAddress();
  const mayWrite = useMay('admin');
  const [step, setStep] = useState<PluginStep | null>(null);
  const actions = usePluginActions(setStep);
  const rows = useMemo(
    () => (plugins.data?.items ?? []).filter((one) => matches(one, search, i18n.language)),
    [plugins.data, search, i18n.language],
  );
  const all: Column<PluginView>[] = [
    {
      key: 'name',
      title: t('plugin.name'),
      cell: (one) => (
        <span className="row">
          <Monogram name={localName(one.name, manifestOf(one)?.i18n, i18n.language)} />
          <span className="stack" style={{ gap: 0 }}>
            <strong>{localName(one.name, manifestOf(one)?.i18n, i18n.language)}</strong>
            <code className="muted">{one.plugin_id}</code>
          </span>
        </span>
      ),
    },
    {
      key: 'version',
      title: t('plugin.current'),
      optional: 'shown',
      cell: (one) => (
        <span className="row">
          <code>{one.current_version || '–'}</code>
          {one.releases.length > 1 && <span className="meta">{t('plugin.ofVersions', { count: one.releases.length })}</span>}
        </span>
      ),
    },
    { key: 'status', title: t('plugin.status'), cell: (one) => <Status kind="plugin" state={one.status} detail={one.last_error} /> },
    {
      key: 'runtime',
      title: t('plugin.runtime'),
      optional: 'shown',
      cell: (one) => <Status kind="runtime" state={one.runtime?.state ?? 'stopped'} detail={one.runtime?.last_error} />,
    },
    { key: 'serving', title: t('plugin.serving'), optional: 'shown', cell: (one) => t(`state.serving.${one.serving}`) },
    {
      key: 'signature',
      title: t('plugin.signature'),
      optional: 'shown',
      cell: (one) => {
        const release = one.releases.find((each) => each.is_current) ?? one.releases[0];
        if (!release) return '–';
        return (
          <Tag tone={signatureTone(release.signature.verdict)} title={release.signature.detail}>
            {release.signature.publisher || t(`signature.${release.signature.verdict}`, { defaultValue: release.signature.verdict })}
          </Tag>
        );
      },
    },
    {
      key: 'restarts',
      title: t('plugin.restarts'),
      num: true,
      optional: 'shown',
      cell: (one) => one.runtime?.restarts ?? '–',
    },
    { key: 'p95', title: t('plugin.sendP95'), num: true, optional: 'hidden', cell: (one) => p95Of(one) },
    {
      key: 'memory',
      title: t('plugin.memory'),
      num: true,
      optional: 'hidden',
      cell: (one) => (one.runtime?.memory_bytes ? size(one.runtime.memory_bytes) : '–'),
    },
    {
      key: 'error',
      title: t('plugin.lastError'),
      optional: 'shown',
      cell: (one) =>
        one.last_error ? (
          <span className="truncate" style={{ display: 'block', maxWidth: 260, color: 'var(--err)' }} title={one.last_error}>
            {one.last_error}
          </span>
        ) : (
          <span className="muted">–</span>
        ),
    },
    ...(mayWrite
      ? [
          {
            key: 'more',
            title: <span className="visually-hidden">{t('do.actions')}</span>,
            width: 44,
            cell: (one: PluginView) => (
              <Menu label={t('do.actionsOf', { what: one.plugin_id })} items={actions(one)}>
                <Icon name="more" />
              </Menu>
            ),
          },
        ]
      : []),
  ];
  const [columns, chooser] = useColumns('plugins', all);
  const upload = mayWrite && (
    <Button type="primary" icon={<Icon name="upload" size={14} />} onClick={() => void navigate({ to: '/plugins/upload' })}>
      {t('plugin.upload')}
    </Button>
  );
  return (
    <>
      <MonitorTabs />
      <Page title={t('tabs.plugins')} actions={upload}>
        <Card flush>
          <Filters names={FILTERS} end={chooser}>
            <SearchFilter name="q" placeholder={t('plugin.search')} />
            <ChoiceFilter
              name="status"
              label={t('plugin.status')}
              options={['enabled', 'disabled', 'error'].map((one) => ({ value: one, label: t(`state.plugin.${one}`) }))}
            />
            <ChoiceFilter
              name="runtime"
              label={t('plugin.runtime')}
              options={['ready', 'starting', 'backoff', 'broken', 'stopped'].map((one) => ({ value: one, label: t(`state.runtime.${one}`) }))}
            />
          </Filters>
          {plugins.isPending ? (
            <Skeleton lines={5} />
          ) : plugins.error && !plugins.data ? (
            <Failed error={plugins.error} retry={() => void plugins.refetch()} />
          ) : rows.length === 0 ? (
            <NothingHere names={FILTERS} icon="plugin" text={t('plugin.none')} hint={t('plugin.noneHint')} action={upload} />
          ) : (
            <DataTable
              label={t('tabs.plugins')}
              rows={rows}
              columns={columns}
              id={(one) => one.plugin_id}
              open={(one) => void navigate({ to: '/plugins/$pluginId', params: { pluginId: one.plugin_id } })}
            />
          )}
        </Card>
      </Page>
      {step && <PluginDialog step={step} close={() => setStep(null)} />}
    </>
  );
}

function matches(one: PluginView, search: Record<string, string>, locale: string): boolean {
  const text = search.q?.toLowerCase();
  const name = localName(one.name, manifestOf(one)?.i18n, locale).toLowerCase();
  return (
    (!text || one.plugin_id.includes(text) || name.includes(text)) &&
    (!search.status || one.status === search.status) &&
    (!search.runtime || (one.runtime?.state ?? 'stopped') === search.runtime)
  );
}
