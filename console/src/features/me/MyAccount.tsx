// One own account: what is left to do, its form, whether it works, and what happened to it.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Button, Input, Select, Switch } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api, take } from '../../api/client';
import { live } from '../../api/live';
import { localName } from '../../api/lists';
import type { AccountView, Event, ProviderView } from '../../api/schema';
import { act } from '../../app/confirmed';
import { complain, say } from '../../app/notices';
import { Confirm } from '../../components/Confirm';
import { Field } from '../../components/Field';
import { Pairs, Time } from '../../components/Facts';
import { Icon } from '../../components/Icon';
import { Menu } from '../../components/Menu';
import { Card, Page } from '../../components/Page';
import { Empty, Failed, Skeleton } from '../../components/States';
import { Status } from '../../components/Status';
import { Meanwhile, NotSaved, SeeMeanwhile } from '../../forms/Meanwhile';
import { SchemaForm } from '../../forms/SchemaForm';
import { useSending } from '../../forms/sending';
import { UrlToCopy } from '../../forms/widgets';
import { count } from '../../i18n/format';
import { wholeUrl } from '../accounts/calls';
import { ChatLink } from '../accounts/ChatLink';
import { useDraft } from '../accounts/draft';
import '../accounts/gallery.css';
import { useLeaveGuard } from '../accounts/leaveGuard';
import { TestCard } from '../accounts/TestCard';
import { Todo } from '../accounts/Waiting';
import { FeedLine } from '../monitor/EventFeed';
import { useOfferedAgents, useOwnBindings, useOwnProviders, useOwnTallies } from './lists';

export function MyAccountPage() {
  const { t, i18n } = useTranslation();
  const { channel, accountId } = useParams({ from: '/in/me/accounts/$channel/$accountId' });
  const account = useQuery({
    queryKey: ['own-accounts', channel, accountId],
    queryFn: () => take(api.GET('/wunder/channels/accounts/{channel}/{account_id}', { params: { path: { channel, account_id: accountId } } })),
  });
  const providers = useOwnProviders();
  const crumb = (
    <>
      <Link to="/me">{t('nav.me')}</Link>
      <span className="muted">/</span>
    </>
  );
  if (account.isPending || providers.isPending) return <Skeleton lines={8} />;
  const isGone = account.error instanceof ApiError && account.error.status === 404;
  if (!account.data || isGone) {
    return (
      <Page title={t('nav.me')} lead={crumb}>
        <Card flush>
          {isGone ? <Empty icon="search" text={t('me.gone')} action={<Link to="/me">{t('nav.me')}</Link>} /> : <Failed error={account.error} retry={() => void account.refetch()} />}
        </Card>
      </Page>
    );
  }
  const provider = providers.data?.items.find((one) => one.channel === channel);
  const title = account.data.display_name || (provider ? localName(provider.name, provider.i18n, i18n.language) : channel);
  return <Loaded key={account.data.account_uid} account={account.data} provider={provider} title={title} crumb={crumb} />;
}

function Loaded(props: { account: AccountView; provider: ProviderView | undefined; title: string; crumb: React.ReactNode }) {
  const { t } = useTranslation();
  const { account, provider } = props;
  const navigate = useNavigate();
  const client = useQueryClient();
  const [isRemoving, setRemoving] = useState(false);
  const [busy, setBusy] = useState(false);
  const path = { channel: account.channel, account_id: account.account_id };
  const refresh = (fresh?: AccountView) => {
    if (fresh) client.setQueryData(['own-accounts', account.channel, account.account_id], fresh);
    return client.invalidateQueries({ queryKey: ['own-accounts'] });
  };
  const toggle = async (isOn: boolean) => {
    setBusy(true);
    try {
      void refresh(
        await act(() =>
          api.PATCH('/wunder/channels/accounts/{channel}/{account_id}', {
            params: { path, header: { 'If-Match': String(account.rev) } },
            body: { is_enabled: isOn },
          }),
        ),
      );
    } catch (error) {
      complain(error);
      void refresh();
    } finally {
      setBusy(false);
    }
  };
  const reconnect = async () => {
    const verdict = await act(() => api.POST('/wunder/channels/accounts/{channel}/{account_id}/reconnect', { params: { path } }));
    void refresh();
    return verdict;
  };
  return (
    <Page
      title={props.title}
      lead={props.crumb}
      actions={
        <div className="row">
          <Status kind="account" state={account.status} />
          <Switch checked={account.status === 'enabled'} loading={busy} aria-label={t('account.switch', { name: props.title })} onChange={(isOn) => void toggle(isOn)} />
          <Menu label={t('do.actionsOf', { what: props.title })} items={[{ key: 'remove', label: t('do.remove'), danger: true, run: () => setRemoving(true) }]}>
            <Icon name="more" />
          </Menu>
        </div>
      }
    >
      {!provider && (
        <div className="note warn">
          <Icon name="warning" />
          {t('me.closed')}
        </div>
      )}
      <div className="columns">
        <div className="stack">
          <Card title={t('todo.title')}>
            <Steps account={account} provider={provider} />
          </Card>
          {provider && <Edit account={account} provider={provider} refresh={refresh} />}
        </div>
        <div className="stack">
          <TestCard
            test={() => act(() => api.POST('/wunder/channels/accounts/{channel}/{account_id}/test', { params: { path } }))}
            reconnect={account.status === 'enabled' ? reconnect : undefined}
          />
          <Traffic account={account} />
          <RuntimeLog account={account} />
        </div>
      </div>
      {isRemoving && (
        <RemoveMine
          account={account}
          title={props.title}
          close={() => setRemoving(false)}
          done={() => {
            void refresh();
            void navigate({ to: '/me' });
          }}
        />
      )}
    </Page>
  );
}

function Steps(props: { account: AccountView; provider: ProviderView | undefined }) {
  const { t } = useTranslation();
  const { account, provider } = props;
  const client = useQueryClient();
  const bindings = useOwnBindings();
  const agents = useOfferedAgents();
  const bound = bindings.data?.items.find((one) => one.channel === account.channel && one.account_id === account.account_id && one.is_enabled !== false);
  const first = useActivity(account).data?.has_received ?? false;
  // A chat page of the gateway's own is the platform: nobody else is to be told an address.
  const hasWebhook = !account.chat_url && (provider?.capabilities as Record<string, boolean> | undefined)?.webhook !== false;
  const isOn = account.status === 'enabled';
  const bind = async (agentId: string) => {
    try {
      const body = { channel: account.channel, account_id: account.account_id, agent_id: agentId };
      if (bound) {
        await act(() =>
          api.PUT('/wunder/channels/bindings/{binding_id}', {
            params: { path: { binding_id: bound.binding_id }, header: { 'If-Match': String(bound.rev ?? 1) } },
            body,
          }),
        );
      } else await act(() => api.POST('/wunder/channels/bindings', { body }));
    } catch (error) {
      complain(error);
    }
    void client.invalidateQueries({ queryKey: ['own-bindings'] });
  };
  let index = 1;
  return (
    <ol className="todo">
      <Todo index={index++} state={isOn ? 'done' : 'now'} title={isOn ? t('todo.enabled') : account.status === 'draft' ? t('todo.fix') : t('todo.enable')} />
      <Todo index={index++} state={bound ? 'done' : 'now'} title={bound ? t('me.answeredBy', { agent: bound.agent_id }) : t('todo.bind')}>
        <Select
          size="small"
          style={{ maxWidth: 240 }}
          aria-label={t('account.answeredBy')}
          placeholder={t('form.choose')}
          value={bound?.agent_id}
          options={(agents.data?.items ?? []).map((one) => ({ value: one.agent_id, label: one.agent_id }))}
          onChange={(agentId: string) => void bind(agentId)}
        />
      </Todo>
      {account.chat_url && (
        <Todo index={index++} state={first ? 'done' : 'now'} title={t('todo.chat')}>
          <ChatLink url={account.chat_url} />
        </Todo>
      )}
      {hasWebhook && (
        <Todo index={index++} state={first ? 'done' : isOn ? 'now' : 'later'} title={t('todo.webhook')}>
          <UrlToCopy url={wholeUrl(account.webhook_url)} label={t('todo.webhookUrl')} />
        </Todo>
      )}
      <Todo index={index} state={first ? 'done' : 'now'} title={first ? t('todo.arrived') : t('todo.waiting')}>
        <span className="meta" aria-live="polite">
          {first ? '' : t('todo.waitingHint')}
        </span>
      </Todo>
    </ol>
  );
}

/** What the account did, asked often until something has come in. */
function useActivity(account: AccountView) {
  const path = { channel: account.channel, account_id: account.account_id };
  return useQuery({
    queryKey: ['own-accounts', account.channel, account.account_id, 'activity'],
    queryFn: () => take(api.GET('/wunder/channels/accounts/{channel}/{account_id}/activity', { params: { path } })),
    // Once one has come there is nothing to wait for; whether it is refused may still change.
    refetchInterval: (query) => (query.state.data?.has_received ? 15_000 : 2_000),
  });
}

function useOwnLog(account: AccountView) {
  return useQuery({
    queryKey: ['own-log', account.channel, account.account_id],
    queryFn: () =>
      take(api.GET('/wunder/channels/runtime_logs', { params: { query: { channel: account.channel, account_id: account.account_id, limit: 50 } } })),
    refetchInterval: 5_000,
  });
}

/** How much went through it lately, and whether the platform refuses it now. */
function Traffic(props: { account: AccountView }) {
  const { t, i18n } = useTranslation();
  const activity = useActivity(props.account);
  const tally = useOwnTallies().data?.get(props.account.account_uid);
  const n = (value: number | undefined) => count(value ?? 0, i18n.language);
  return (
    <Card title={t('me.traffic')}>
      <div className="stack">
        {activity.data?.is_parked && (
          <div className="note warn">
            <Icon name="warning" />
            {t('me.parked')}
          </div>
        )}
        <Pairs
          of={[
            [t('account.received24h'), n(tally?.received)],
            [t('account.sent24h'), n(tally?.sent)],
            [t('account.failed24h'), n(tally?.failed)],
            [t('account.lastMessage'), <Time key="at" at={tally?.last_at ?? activity.data?.last_message_at} />],
          ]}
        />
      </div>
    </Card>
  );
}

function RuntimeLog(props: { account: AccountView }) {
  const { t } = useTranslation();
  const log = useOwnLog(props.account);
  useEffect(() => live.listen((event) => event.type !== 'figures' && void log.refetch()), [log.refetch]);
  return (
    <Card title={t('me.log')} flush>
      {log.isPending ? (
        <Skeleton lines={4} />
      ) : !log.data ? (
        <Failed error={log.error} compact retry={() => void log.refetch()} />
      ) : log.data.items.length === 0 ? (
        <Empty icon="monitor" text={t('monitor.noEvents')} />
      ) : (
        <ol className="feed" tabIndex={0} aria-label={t('me.log')}>
          {log.data.items.map((one: Event) => (
            <FeedLine key={one.event_id} event={{ ...one, message_id: '' }} />
          ))}
        </ol>
      )}
    </Card>
  );
}

function Edit(props: { account: AccountView; provider: ProviderView; refresh: (fresh?: AccountView) => Promise<void> }) {
  const { t } = useTranslation();
  const { account, provider } = props;
  const { draft, rev, change, fill, reset, isChanged, config, settle, theirs, keepMine, takeTheirs } = useDraft(account);
  const { faults, error, busy, send } = useSending(props.refresh);
  const leave = useLeaveGuard(isChanged);
  const save = () =>
    send(async () => {
      const fresh = await act(() =>
        api.PUT('/wunder/channels/accounts/{channel}/{account_id}', {
          params: { path: { channel: account.channel, account_id: account.account_id }, header: { 'If-Match': String(rev) } },
          body: {
            channel: account.channel,
            account_id: account.account_id,
            display_name: draft.displayName,
            is_enabled: account.status !== 'disabled',
            provider_config: config() as never,
            access: draft.access,
          },
        }),
      );
      settle(fresh, draft);
      void props.refresh(fresh);
      say(t('account.saved'));
    });
  return (
    <Card title={t('account.tab.config')}>
      <div className="stack wide" style={{ maxWidth: 600 }}>
        <Field label={t('account.displayName')}>
          <Input maxLength={100} value={draft.displayName} onChange={(event) => change({ displayName: event.target.value })} />
        </Field>
        <SchemaForm
          schema={provider.account_schema}
          value={draft.config}
          saved={draft.saved}
          cleared={draft.cleared}
          change={fill}
          clear={(cleared) => change({ cleared })}
          submit={() => void save()}
          faults={faults}
          prefix="/provider_config"
          audience="user"
          formId="own-form"
          webhookUrl={wholeUrl(account.webhook_url)}
        />
        <Meanwhile theirs={theirs} schema={provider.account_schema} keepMine={keepMine} takeTheirs={takeTheirs} />
        {error !== null && !theirs.length && <NotSaved error={error} />}
      </div>
      <div className="save-bar">
        <Button type="primary" htmlType="submit" form="own-form" loading={busy} disabled={!isChanged || theirs.length > 0}>
          {t('do.save')}
        </Button>
        <Button type="text" disabled={!isChanged || busy} onClick={reset}>
          {t('do.discard')}
        </Button>
        {theirs.length > 0 && <SeeMeanwhile />}
      </div>
      {leave.dialog}
    </Card>
  );
}

function RemoveMine(props: { account: AccountView; title: string; close: () => void; done: () => void }) {
  const { t } = useTranslation();
  const path = { channel: props.account.channel, account_id: props.account.account_id };
  const impact = useQuery({
    queryKey: ['own-impact', props.account.account_uid],
    queryFn: () => take(api.GET('/wunder/channels/accounts/{channel}/{account_id}/impact', { params: { path } })),
    gcTime: 0,
  });
  return (
    <Confirm
      title={t('account.removeTitle', { name: props.title })}
      typed={props.account.account_id}
      action={t('do.remove')}
      danger
      disabled={!impact.data}
      close={props.close}
      run={async () => {
        await act(() => api.DELETE('/wunder/channels/accounts/{channel}/{account_id}', { params: { path } }));
        props.done();
      }}
    >
      <p>{t('account.removeText')}</p>
      {impact.data ? (
        <Pairs
          of={[
            [t('account.impactBindings'), String(impact.data.bindings.length)],
            [t('account.impactOpen'), `${impact.data.open_deliveries}${impact.data.has_more ? '+' : ''}`],
          ]}
        />
      ) : impact.error ? (
        <Failed error={impact.error} compact />
      ) : (
        <Skeleton lines={2} />
      )}
    </Confirm>
  );
}
