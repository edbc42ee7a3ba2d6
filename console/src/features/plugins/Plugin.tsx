// One plugin: what it is, its versions, its running process, who uses it.
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import { localName, useAccounts } from '../../api/lists';
import type { PluginView } from '../../api/schema';
import { useMay } from '../../app/session';
import { Pairs } from '../../components/Facts';
import { Icon } from '../../components/Icon';
import { Menu } from '../../components/Menu';
import { Card, Monogram, Page } from '../../components/Page';
import { Empty, Failed, Skeleton } from '../../components/States';
import { Status, Tag } from '../../components/Status';
import { Tabs } from '../../components/Tabs';
import { AccountTable } from '../accounts/AccountTable';
import { EventFeed } from '../monitor/EventFeed';
import { PluginDialog, useEnable, usePluginActions, type PluginStep } from './actions';
import { currentOf, manifestOf, signatureTone } from './facts';
import { Permissions } from './Permissions';
import './plugins.css';
import { RuntimePanel } from './RuntimePanel';
import { SchemaPreview } from './SchemaPreview';
import { Versions } from './Versions';

export function PluginPage() {
  const { t, i18n } = useTranslation();
  const { pluginId } = useParams({ from: '/in/plugins/$pluginId' });
  const mayWrite = useMay('admin');
  const [step, setStep] = useState<PluginStep | null>(null);
  const actions = usePluginActions(setStep);
  const enable = useEnable(setStep);
  const plugin = useQuery({
    queryKey: ['plugin', pluginId],
    queryFn: () => take(api.GET('/wunder/admin/channel_plugins/{plugin_id}', { params: { path: { plugin_id: pluginId } } })),
    refetchInterval: 15_000,
  });
  if (plugin.isPending) return <Skeleton lines={8} />;
  if (!plugin.data) {
    return (
      <Page title={pluginId}>
        <Card flush>
          <Failed error={plugin.error} retry={() => void plugin.refetch()} />
        </Card>
      </Page>
    );
  }
  const one = plugin.data;
  const name = localName(one.name, manifestOf(one)?.i18n, i18n.language);
  const items = actions(one);
  return (
    <Page
      title={name}
      lead={
        <>
          <Link to="/plugins">{t('tabs.plugins')}</Link>
          <span className="muted">/</span>
        </>
      }
      actions={
        mayWrite && (
          <div className="row">
            {one.status === 'disabled' && (
              <Button type="primary" onClick={() => void enable(one, undefined)}>
                {t('plugin.enable')}
              </Button>
            )}
            <Link to="/plugins/upload" className="button-link">
              {t('plugin.newVersion')}
            </Link>
            {items.length > 0 && (
              <Menu label={t('do.actionsOf', { what: name })} items={items}>
                <Icon name="more" />
              </Menu>
            )}
          </div>
        )
      }
    >
      <Head plugin={one} name={name} />
      {one.last_error && (
        <div className="note err" role="alert">
          <Icon name="warning" />
          <div>
            <strong>{t(`pluginError.${one.last_error_code}`, { defaultValue: t('plugin.failed') })}</strong>
            <div className="mono">{one.last_error}</div>
          </div>
        </div>
      )}
      <Tabs
        label={name}
        tabs={[
          { key: 'overview', title: t('plugin.tab.overview'), body: () => <OverviewTab plugin={one} /> },
          {
            key: 'versions',
            title: (
              <>
                {t('plugin.tab.versions')} <span className="badge">{one.releases.length}</span>
              </>
            ),
            body: () => <Versions plugin={one} ask={setStep} />,
          },
          { key: 'runtime', title: t('plugin.tab.runtime'), body: () => <RuntimePanel pluginId={pluginId} /> },
          { key: 'accounts', title: t('plugin.tab.accounts'), body: () => <AccountsTab plugin={one} /> },
          { key: 'schema', title: t('plugin.tab.schema'), body: () => <SchemaPreview plugin={one} /> },
          { key: 'events', title: t('plugin.tab.events'), body: () => <EventFeed pluginId={pluginId} /> },
        ]}
      />
      {step && <PluginDialog step={step} close={() => setStep(null)} />}
    </Page>
  );
}

function Head(props: { plugin: PluginView; name: string }) {
  const { t } = useTranslation();
  const { plugin } = props;
  const release = currentOf(plugin);
  return (
    <Card>
      <div className="plugin-head">
        <Monogram name={props.name} big />
        <div className="name">
          <span className="row">
            <code>{plugin.plugin_id}</code>
            <code className="muted">{plugin.current_version || t('plugin.noCurrent')}</code>
          </span>
          <span className="row wrap">
            <Status kind="plugin" state={plugin.status} />
            {plugin.serving === 'plugin' && <Status kind="runtime" state={plugin.runtime?.state ?? 'stopped'} />}
            <span className="meta">{t('plugin.servedBy', { who: t(`state.serving.${plugin.serving}`) })}</span>
          </span>
        </div>
        <div className="row wrap">
          {release && (
            <Tag tone={signatureTone(release.signature.verdict)} title={release.signature.detail}>
              {release.signature.publisher || t(`signature.${release.signature.verdict}`, { defaultValue: release.signature.verdict })}
            </Tag>
          )}
          {plugin.sandbox_level && (
            <Tag tone={plugin.is_sandbox_enforced ? 'ok' : 'warn'} title={plugin.sandbox_note}>
              {t('plugin.sandbox', { level: plugin.sandbox_level })} · {plugin.is_sandbox_enforced ? t('permission.enforced') : t('permission.notEnforced')}
            </Tag>
          )}
        </div>
      </div>
    </Card>
  );
}

function OverviewTab(props: { plugin: PluginView }) {
  const { t } = useTranslation();
  const { plugin } = props;
  const release = currentOf(plugin);
  const manifest = manifestOf(plugin);
  const able = Object.entries(manifest?.capabilities ?? {})
    .filter(([, has]) => has)
    .map(([name]) => name);
  return (
    <div className="body stack wide" style={{ padding: 16 }}>
      <Pairs
        columns={2}
        of={[
          [t('plugin.capabilities'), <span className="row wrap" key="able">{able.map((one) => <Tag key={one}>{t(`capability.${one}`, { defaultValue: one })}</Tag>)}</span>],
          [t('plugin.serves'), (manifest?.serves ?? [plugin.plugin_id]).join(', ')],
          [t('plugin.runtimeWanted'), release?.fit.runtime_wanted || manifest?.runtime],
          [t('plugin.platform'), release?.fit.platform],
          [t('plugin.builtin'), plugin.builtin_id],
          [t('plugin.apiVersion'), manifest?.api_version],
          [t('plugin.health'), plugin.health],
          [t('plugin.visible'), plugin.is_user_visible ? t('do.yes') : t('do.no')],
        ]}
      />
      {release && (
        <section className="stack">
          <h3>{t('upload.permissions')}</h3>
          <Permissions permissions={release.permissions} changes={[]} />
        </section>
      )}
      {manifest?.limits && (
        <section className="stack tight">
          <h3>{t('plugin.limits')}</h3>
          <Pairs columns={2} of={Object.entries(manifest.limits).map(([name, value]) => [name, String(value)])} />
        </section>
      )}
    </div>
  );
}

function AccountsTab(props: { plugin: PluginView }) {
  const { t } = useTranslation();
  const accounts = useAccounts();
  const channels = new Set(manifestOf(props.plugin)?.serves ?? [props.plugin.plugin_id]);
  if (accounts.isPending) return <Skeleton lines={3} />;
  if (!accounts.data) return <Failed error={accounts.error} retry={() => void accounts.refetch()} />;
  const rows = accounts.data.items.filter((one) => channels.has(one.channel));
  if (!rows.length) return <Empty icon="account" text={t('plugin.noAccounts')} action={<Link to="/accounts/new">{t('account.add')}</Link>} />;
  return <AccountTable rows={rows} />;
}
