// One own account: what is left to do, its form, whether it works, and what happened to it.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Switch } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api, take } from '../../api/client';
import { localName } from '../../api/lists';
import type { AccountView, ProviderView } from '../../api/schema';
import { act } from '../../app/confirmed';
import { complain } from '../../app/notices';
import { Confirm } from '../../components/Confirm';
import { Pairs } from '../../components/Facts';
import { Icon } from '../../components/Icon';
import { Menu } from '../../components/Menu';
import { Card, Page } from '../../components/Page';
import { Empty, Failed, Skeleton } from '../../components/States';
import { Status } from '../../components/Status';
import '../accounts/gallery.css';
import { TestCard } from '../accounts/TestCard';
import { RuntimeLog, Traffic } from './activity';
import { Edit } from './Edit';
import { useOwnProviders } from './lists';
import { Steps } from './Steps';

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
