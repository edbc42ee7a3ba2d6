// One account: its form, its rules, whether it works, and what it waits for.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Button, Input, Switch } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api, take } from '../../api/client';
import { useBindings, useChannelName, useProviders } from '../../api/lists';
import type { AccountView } from '../../api/schema';
import { act } from '../../app/confirmed';
import { complain, say } from '../../app/notices';
import { useMay } from '../../app/session';
import { Field } from '../../components/Field';
import { Id, Json, Pairs, Time } from '../../components/Facts';
import { Icon } from '../../components/Icon';
import { Menu } from '../../components/Menu';
import { Card, Page } from '../../components/Page';
import { Failed, Skeleton } from '../../components/States';
import { Status } from '../../components/Status';
import { Tabs } from '../../components/Tabs';
import { Meanwhile, NotSaved, SeeMeanwhile } from '../../forms/Meanwhile';
import { SchemaForm } from '../../forms/SchemaForm';
import { useSending } from '../../forms/sending';
import { useFaultWords } from '../../forms/words';
import { EventFeed } from '../monitor/EventFeed';
import { RemoveAccounts } from './Accounts';
import { setEnabled, wholeUrl } from './calls';
import { useDraft } from './draft';
import { useLeaveGuard } from './leaveGuard';
import { Pairings } from './Pairings';
import { AccessFields, DeliveryFields } from './Rules';
import { TestCard } from './TestCard';
import { WaitingForFirst } from './Waiting';

export function AccountPage() {
  const { t } = useTranslation();
  const { channel, accountId } = useParams({ from: '/in/accounts/$channel/$accountId' });
  const path = { channel, account_id: accountId };
  const account = useQuery({
    queryKey: ['account', channel, accountId],
    queryFn: () => take(api.GET('/wunder/admin/channels/accounts/{channel}/{account_id}', { params: { path } })),
  });
  if (account.isPending) return <Skeleton lines={8} />;
  if (!account.data) {
    return (
      <Page title={accountId}>
        <Card flush>
          <Failed error={account.error} retry={() => void account.refetch()} />
        </Card>
      </Page>
    );
  }
  const isGone = account.error instanceof ApiError && account.error.status === 404;
  return <Loaded key={account.data.account_uid} account={account.data} isGone={isGone} crumb={t('tabs.accounts')} />;
}

function Loaded(props: { account: AccountView; isGone: boolean; crumb: string }) {
  const { t } = useTranslation();
  const { account } = props;
  const navigate = useNavigate();
  const client = useQueryClient();
  const channelName = useChannelName();
  const mayWrite = useMay('admin');
  const mayOperate = useMay('operator');
  const [isRemoving, setRemoving] = useState(false);
  const [isSwitching, setSwitching] = useState(false);
  const providers = useProviders();
  const provider = providers.data?.items.find((one) => one.channel === account.channel);
  const bindings = useBindings();
  const serving = (bindings.data?.items ?? []).filter(
    (one) =>
      one.is_enabled !== false && [account.channel, '*'].includes(one.channel) && [account.account_id, '*'].includes(one.account_id),
  );
  const refresh = (fresh?: AccountView) => {
    if (fresh) client.setQueryData(['account', account.channel, account.account_id], fresh);
    void client.invalidateQueries({ queryKey: ['accounts'] });
    return client.invalidateQueries({ queryKey: ['account', account.channel, account.account_id] });
  };
  const toggle = async (isOn: boolean) => {
    setSwitching(true);
    try {
      void refresh(await setEnabled(account, isOn));
    } catch (error) {
      complain(error);
      void refresh();
    } finally {
      setSwitching(false);
    }
  };
  const reconnect = async () => {
    const path = { channel: account.channel, account_id: account.account_id };
    const verdict = await act(() => api.POST('/wunder/admin/channels/accounts/{channel}/{account_id}/reconnect', { params: { path } }));
    void refresh();
    return verdict;
  };
  const name = account.display_name || account.account_id;
  const url = wholeUrl(account.webhook_url);
  const bindLink = (
    <Link to="/bindings" search={{ new: '1', channel: account.channel, account: account.account_id } as never}>
      {t('todo.bindDo')}
    </Link>
  );
  return (
    <Page
      title={name}
      lead={
        <>
          <Link to="/accounts">{props.crumb}</Link>
          <span className="muted">/</span>
        </>
      }
      actions={
        <div className="row">
          <Status kind="account" state={account.status} />
          {mayWrite && (
            <>
              <Switch
                checked={account.status === 'enabled'}
                loading={isSwitching}
                aria-label={t('account.switch', { name })}
                onChange={(isOn) => void toggle(isOn)}
              />
              <Menu
                label={t('do.actionsOf', { what: name })}
                items={[{ key: 'remove', label: t('do.remove'), danger: true, run: () => setRemoving(true) }]}
              >
                <Icon name="more" />
              </Menu>
            </>
          )}
        </div>
      }
    >
      {props.isGone && (
        <div className="note err" role="alert">
          <Icon name="warning" />
          {t('account.gone')}
        </div>
      )}
      {account.status === 'draft' && (
        <div className="note warn">
          <Icon name="warning" />
          <div>
            <strong>{t('account.isDraft')}</strong>
            <div>{t('account.isDraftText')}</div>
          </div>
        </div>
      )}
      {account.note === 'provider_unavailable' && (
        <div className="note warn">
          <Icon name="warning" />
          {t('account.unchecked')}
        </div>
      )}
      <div className="columns">
        <Tabs
          label={name}
          tabs={[
            {
              key: 'config',
              title: t('account.tab.config'),
              stays: true,
              body: () => <EditForm account={account} schema={provider?.account_schema} isReady={!providers.isPending} url={url} refresh={refresh} readOnly={!mayWrite || props.isGone} />,
            },
            { key: 'pairings', title: t('account.tab.pairings'), body: () => <Pairings account={account} /> },
            { key: 'events', title: t('account.tab.events'), body: () => <EventFeed accountUid={account.account_uid} /> },
            {
              key: 'snapshot',
              title: t('account.tab.snapshot'),
              body: () => (
                <div style={{ padding: 16 }}>
                  <Json value={account} label={t('account.tab.snapshot')} />
                </div>
              ),
            },
          ]}
        />
        <div className="stack">
          <Card title={t('todo.title')}>
            <WaitingForFirst
              account={account}
              hasWebhook={account.chat_url ? false : provider ? (provider.capabilities as Record<string, boolean>).webhook !== false : true}
              hasBinding={bindings.isPending || serving.length > 0}
              bind={mayWrite ? bindLink : null}
            />
          </Card>
          <TestCard
            blocked={mayOperate ? undefined : t('forbidden.needs', { role: t('role.operator') })}
            test={() =>
              act(() =>
                api.POST('/wunder/admin/channels/accounts/{channel}/{account_id}/test', {
                  params: { path: { channel: account.channel, account_id: account.account_id } },
                }),
              )
            }
            reconnect={account.status === 'enabled' ? reconnect : undefined}
          />
          <Card title={t('account.facts')}>
            <Pairs
              of={[
                [t('account.channel'), channelName(account.channel)],
                [t('account.servedBy'), provider && `${provider.plugin_id} ${provider.version}`],
                [t('account.id'), <code key="id">{account.account_id}</code>],
                ['UID', <Id key="uid" value={account.account_uid} />],
                [t('account.external'), account.external_id],
                [t('account.rev'), String(account.rev)],
                [t('account.created'), <Time key="created" at={account.created_at} />],
                [t('account.changed'), <Time key="changed" at={account.updated_at} />],
                [
                  t('account.more'),
                  <span key="more" className="row wrap">
                    <Link to="/outbox" search={{ channel: account.channel, account: account.account_id } as never}>
                      {t('tabs.outbox')}
                    </Link>
                    <Link to="/trace" search={{ channel: account.channel, account: account.account_id } as never}>
                      {t('nav.trace')}
                    </Link>
                  </span>,
                ],
              ]}
            />
          </Card>
        </div>
      </div>
      {isRemoving && (
        <RemoveAccounts
          accounts={[account]}
          close={() => setRemoving(false)}
          done={() => {
            void client.invalidateQueries({ queryKey: ['accounts'] });
            void navigate({ to: '/accounts' });
          }}
        />
      )}
    </Page>
  );
}

function EditForm(props: {
  account: AccountView;
  schema: unknown;
  isReady: boolean;
  url: string;
  refresh: (fresh?: AccountView) => Promise<void>;
  readOnly: boolean;
}) {
  const { t } = useTranslation();
  const { account } = props;
  const words = useFaultWords();
  const { draft, rev, change, form, reset, isChanged, config, settle, theirs, keepMine, takeTheirs } = useDraft(account);
  const { faults, error, busy, send } = useSending(props.refresh);
  const leave = useLeaveGuard(isChanged);
  if (!props.isReady) return <Skeleton lines={8} />;
  const faultsAt = (prefix: string) =>
    Object.fromEntries(
      faults.filter((one) => one.pointer.startsWith(`${prefix}/`)).map((one) => [one.pointer.slice(prefix.length + 1).split('/')[0] ?? '', words(one.code, undefined, one.message)]),
    );
  const own = faults.find((one) => one.pointer === '/display_name');
  const save = () =>
    send(async () => {
      const fresh = await act(() =>
        api.PUT('/wunder/admin/channels/accounts/{channel}/{account_id}', {
          params: {
            path: { channel: account.channel, account_id: account.account_id },
            header: { 'If-Match': String(rev) },
          },
          body: {
            channel: account.channel,
            account_id: account.account_id,
            display_name: draft.displayName,
            is_enabled: account.status === 'enabled',
            provider_config: config() as never,
            access: draft.access,
            delivery: draft.delivery,
            owner_user_id: account.owner_user_id,
          },
        }),
      );
      settle(fresh, draft);
      void props.refresh(fresh);
      say(t('account.saved'));
    });
  return (
    <div style={{ padding: 16 }}>
      <div className="stack wide" style={{ maxWidth: 640 }}>
        <Field label={t('account.displayName')} fault={own && words(own.code, undefined, own.message)}>
          <Input value={draft.displayName} maxLength={100} disabled={props.readOnly} onChange={(event) => change({ displayName: event.target.value })} />
        </Field>
        <SchemaForm
          schema={props.schema}
          {...form}
          submit={() => void save()}
          faults={faults.filter((one) => one.pointer.startsWith('/provider_config') || !/^\/(display_name|access|delivery)/.test(one.pointer))}
          prefix="/provider_config"
          audience="admin"
          formId="account-form"
          webhookUrl={props.url}
          readOnly={props.readOnly}
        />
        <details open={Object.keys(faultsAt('/access')).length > 0 || undefined}>
          <summary>{t('access.title')}</summary>
          <div style={{ marginTop: 12 }}>
            <AccessFields value={draft.access} change={(access) => change({ access })} faults={faultsAt('/access')} readOnly={props.readOnly} />
          </div>
        </details>
        <details>
          <summary>{t('delivery.title')}</summary>
          <div style={{ marginTop: 12 }}>
            <DeliveryFields value={draft.delivery} change={(delivery) => change({ delivery })} readOnly={props.readOnly} />
          </div>
        </details>
        <Meanwhile theirs={theirs} schema={props.schema} keepMine={keepMine} takeTheirs={takeTheirs} />
        {error !== null && !theirs.length && <NotSaved error={error} />}
      </div>
      {!props.readOnly && (
        <div className="save-bar">
          <Button type="primary" htmlType="submit" form="account-form" loading={busy} disabled={!isChanged || theirs.length > 0}>
            {t('do.save')}
          </Button>
          <Button type="text" disabled={!isChanged || busy} onClick={reset}>
            {t('do.discard')}
          </Button>
          {theirs.length > 0 ? <SeeMeanwhile /> : isChanged && <span className="meta">{t('account.unsaved')}</span>}
        </div>
      )}
      {leave.dialog}
    </div>
  );
}
