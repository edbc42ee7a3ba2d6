// What can be done to a plugin, and what is asked before it is done.
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { ApiError, api } from '../../api/client';
import { useAccounts, useBindings } from '../../api/lists';
import type { Impact, PluginView, ReleaseView } from '../../api/schema';
import { act } from '../../app/confirmed';
import { complain, say } from '../../app/notices';
import { Confirm } from '../../components/Confirm';
import { Pairs } from '../../components/Facts';
import type { MenuItem } from '../../components/Menu';
import { Status } from '../../components/Status';
import { compareVersions, manifestOf } from './facts';
import { Permissions } from './Permissions';

/** A question that is open about a plugin. */
export type PluginStep =
  | { kind: 'approve'; plugin: PluginView; release: ReleaseView; then?: 'enable' }
  | { kind: 'enable'; plugin: PluginView; version?: string; impact?: Impact }
  | { kind: 'disable'; plugin: PluginView }
  | { kind: 'back'; plugin: PluginView }
  | { kind: 'source'; plugin: PluginView; source: 'builtin' | 'plugin' }
  | { kind: 'remove'; plugin: PluginView; version: string };

type Open = (step: PluginStep) => void;

function useRefresh() {
  const client = useQueryClient();
  return () => {
    for (const key of ['plugins', 'plugin', 'providers', 'monitor']) void client.invalidateQueries({ queryKey: [key] });
  };
}

/** Return the menu of a plugin. */
export function usePluginActions(open: Open): (plugin: PluginView) => (MenuItem | 'line')[] {
  const { t } = useTranslation();
  const enable = useEnable(open);
  return (plugin) => {
    const newest = [...plugin.releases].sort((one, other) => compareVersions(other.version, one.version))[0];
    const items: (MenuItem | 'line')[] = [];
    if (plugin.status === 'disabled' || plugin.status === 'error') {
      items.push({ key: 'enable', label: t('plugin.enable'), run: () => void enable(plugin, undefined) });
    }
    if (newest && plugin.current_version && compareVersions(newest.version, plugin.current_version) > 0) {
      items.push({
        key: 'switch',
        label: t('plugin.switchTo', { version: newest.version }),
        run: () => void enable(plugin, newest.version),
      });
    }
    if (plugin.previous_version && plugin.releases.some((one) => one.version === plugin.previous_version)) {
      items.push({
        key: 'back',
        label: t('plugin.backTo', { version: plugin.previous_version }),
        run: () => open({ kind: 'back', plugin }),
      });
    }
    if (plugin.builtin_id && plugin.status !== 'disabled') {
      const other = plugin.serving === 'builtin' ? 'plugin' : 'builtin';
      items.push({ key: 'source', label: t(`plugin.source.${other}`), run: () => open({ kind: 'source', plugin, source: other }) });
    }
    if (items.length) items.push('line');
    if (plugin.status !== 'disabled') {
      items.push({ key: 'disable', label: t('plugin.disable'), danger: true, run: () => open({ kind: 'disable', plugin }) });
    }
    if (plugin.releases.length) {
      const version = plugin.current_version || newest?.version || '';
      items.push({
        key: 'remove',
        label: plugin.releases.length > 1 ? t('plugin.removeVersion', { version }) : t('plugin.uninstall'),
        danger: true,
        blocked: plugin.status === 'enabled' ? t('plugin.disableFirst') : undefined,
        run: () => open({ kind: 'remove', plugin, version }),
      });
    }
    return items;
  };
}

/** Return how to enable a version: approve it first where nobody has, ask where it takes over from a built-in. */
export function useEnable(open: Open): (plugin: PluginView, version: string | undefined) => Promise<void> {
  const { t } = useTranslation();
  const refresh = useRefresh();
  return async (plugin, version) => {
    const release = plugin.releases.find((one) => one.version === (version ?? plugin.current_version)) ?? plugin.releases[0];
    if (release && !release.is_approved) return open({ kind: 'approve', plugin, release, then: 'enable' });
    try {
      await enableVersion(plugin.plugin_id, version ?? release?.version, undefined);
      say(t('plugin.enabled', { id: plugin.plugin_id, version: version ?? release?.version ?? '' }));
      refresh();
    } catch (error) {
      const impact = impactOf(error);
      if (impact) open({ kind: 'enable', plugin, version: version ?? release?.version, impact });
      else complain(error);
    }
  };
}

export function enableVersion(pluginId: string, version: string | undefined, confirm: string | undefined) {
  return act(() =>
    api.POST('/wunder/admin/channel_plugins/{plugin_id}/enable', {
      params: { path: { plugin_id: pluginId } },
      body: { ...(version ? { version } : {}), ...(confirm ? { confirm } : {}) },
    }),
  );
}

export function approveRelease(pluginId: string, version: string, sha256: string) {
  return act(() =>
    api.POST('/wunder/admin/channel_plugins/{plugin_id}/approve', {
      params: { path: { plugin_id: pluginId } },
      body: { version, sha256 },
    }),
  );
}

/** The impact that a refusal carries: who would be served by somebody else. */
export function impactOf(error: unknown): Impact | undefined {
  if (!(error instanceof ApiError) || error.status !== 409) return undefined;
  const state = error.state as { impact?: Impact; accounts?: unknown };
  if (state.impact) return state.impact;
  return Array.isArray(state.accounts) ? (state as unknown as Impact) : undefined;
}

export function PluginDialog(props: { step: PluginStep; close: () => void }) {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const { step, close } = props;
  const { plugin } = step;
  const id = plugin.plugin_id;
  const done = (text: string) => {
    say(text);
    refresh();
  };
  switch (step.kind) {
    case 'approve':
      return (
        <Confirm
          title={t('plugin.approveTitle', { id, version: step.release.version })}
          action={step.then ? t('plugin.approveAndEnable') : t('plugin.approve')}
          close={close}
          run={async () => {
            await approveRelease(id, step.release.version, step.release.package_sha256);
            if (step.then) await enableVersion(id, step.release.version, plugin.builtin_id ? id : undefined);
            done(t('plugin.approved', { id, version: step.release.version }));
          }}
        >
          <p>{t('plugin.approveText')}</p>
          <Permissions permissions={step.release.permissions} changes={step.release.changes} />
          {step.then && plugin.builtin_id && <p className="second">{t('plugin.takesOver', { builtin: plugin.builtin_id })}</p>}
        </Confirm>
      );
    case 'enable':
      return (
        <Confirm
          title={t('plugin.takeOverTitle', { id })}
          typed={id}
          action={t('plugin.enable')}
          close={close}
          run={async () => {
            await enableVersion(id, step.version, id);
            done(t('plugin.enabled', { id, version: step.version ?? '' }));
          }}
        >
          <p>{t('plugin.takesOver', { builtin: plugin.builtin_id || id })}</p>
          {step.impact && <ImpactList impact={step.impact} />}
        </Confirm>
      );
    case 'disable':
      return (
        <Confirm
          title={t('plugin.disableTitle', { id })}
          action={t('plugin.disable')}
          danger
          close={close}
          run={async () => {
            await act(() => api.POST('/wunder/admin/channel_plugins/{plugin_id}/disable', { params: { path: { plugin_id: id } } }));
            done(t('plugin.disabled', { id }));
          }}
        >
          <p>{plugin.builtin_id ? t('plugin.disableFallback', { builtin: plugin.builtin_id }) : t('plugin.disableText')}</p>
          <Touched plugin={plugin} />
        </Confirm>
      );
    case 'back':
      return (
        <Confirm
          title={t('plugin.backTo', { version: plugin.previous_version })}
          action={t('plugin.back')}
          close={close}
          run={async () => {
            await act(() => api.POST('/wunder/admin/channel_plugins/{plugin_id}/rollback', { params: { path: { plugin_id: id } } }));
            done(t('plugin.enabled', { id, version: plugin.previous_version }));
          }}
        >
          <p>{t('plugin.backText', { from: plugin.current_version, to: plugin.previous_version })}</p>
        </Confirm>
      );
    case 'source':
      return (
        <Confirm
          title={t(`plugin.source.${step.source}`)}
          action={t('do.switch')}
          close={close}
          run={async () => {
            await act(() =>
              api.POST('/wunder/admin/channel_plugins/{plugin_id}/source', {
                params: { path: { plugin_id: id } },
                body: { source: step.source },
              }),
            );
            done(t('plugin.sourceSet', { source: t(`state.serving.${step.source}`) }));
          }}
        >
          <p>{t('plugin.sourceText')}</p>
        </Confirm>
      );
    case 'remove':
      return (
        <Confirm
          title={plugin.releases.length > 1 ? t('plugin.removeTitle', { id, version: step.version }) : t('plugin.uninstallTitle', { id })}
          typed={plugin.releases.length > 1 ? undefined : id}
          action={plugin.releases.length > 1 ? t('do.remove') : t('plugin.uninstall')}
          danger
          close={close}
          run={async () => {
            await act(() =>
              api.DELETE('/wunder/admin/channel_plugins/{plugin_id}/{version}', {
                params: { path: { plugin_id: id, version: step.version } },
              }),
            );
            done(t('plugin.removed', { id, version: step.version }));
          }}
        >
          <p>{t('plugin.removeText')}</p>
          {plugin.releases.length === 1 && <Touched plugin={plugin} />}
          {plugin.builtin_id && plugin.releases.length === 1 && (
            <Pairs of={[[t('plugin.fallback'), `${t('state.serving.builtin')} · ${plugin.builtin_id}`]]} />
          )}
        </Confirm>
      );
  }
}

/** Whose accounts and bindings this plugin serves. */
function Touched(props: { plugin: PluginView }) {
  const accounts = useAccounts();
  const bindings = useBindings();
  const channels = new Set(manifestOf(props.plugin)?.serves ?? [props.plugin.plugin_id]);
  if (!accounts.data || !bindings.data) return null;
  const touched = accounts.data.items.filter((one) => channels.has(one.channel));
  return <ImpactList impact={{ accounts: touched, bindings: bindings.data.items.filter((one) => channels.has(one.channel)).length }} />;
}

export function ImpactList(props: { impact: Impact }) {
  const { t } = useTranslation();
  const { accounts, bindings } = props.impact;
  return (
    <div className="stack tight">
      <p>
        <strong>{t('plugin.impact', { accounts: accounts.length, bindings })}</strong>
      </p>
      <ul className="impact" hidden={accounts.length === 0}>
        {accounts.slice(0, 8).map((one) => (
          <li key={`${one.channel}/${one.account_id}`} className="row">
            <Link to="/accounts/$channel/$accountId" params={{ channel: one.channel, accountId: one.account_id }}>
              {one.display_name || one.account_id}
            </Link>
            <code className="muted">
              {one.channel}/{one.account_id}
            </code>
            <Status kind="account" state={one.status} />
          </li>
        ))}
        {accounts.length > 8 && <li className="muted">{t('list.andMore', { count: accounts.length - 8 })}</li>}
      </ul>
    </div>
  );
}
