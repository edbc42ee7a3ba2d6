// Accounts that need a person, and why.
import { Link, useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useAccounts, useChannelName, usePlugins, useProviders } from '../../api/lists';
import type { AccountView, PluginView, ProviderView } from '../../api/schema';
import { DataTable, type Column } from '../../components/DataTable';
import { Time } from '../../components/Facts';
import { Card } from '../../components/Page';
import { Empty, Failed, Skeleton } from '../../components/States';
import { Tag } from '../../components/Status';

export interface Issue {
  account: AccountView;
  /** misconfigured: its form is not accepted; retrying: its platform fails; unserved: nobody speaks its channel. */
  kind: 'misconfigured' | 'retrying' | 'unserved';
}

/** Return what is wrong with which account; one line an account, the worst. */
export function issuesOf(accounts: AccountView[], providers: ProviderView[], plugins: PluginView[]): Issue[] {
  const serving = new Set(providers.filter((one) => one.is_serving).map((one) => one.channel));
  const tripped = new Set(
    plugins.flatMap((one) =>
      Object.entries((one.runtime?.breakers ?? {}) as Record<string, string>)
        .filter(([, state]) => state !== 'closed')
        .map(([uid]) => uid),
    ),
  );
  const found: Issue[] = [];
  for (const account of accounts) {
    if (account.status === 'draft') found.push({ account, kind: 'misconfigured' });
    else if (account.status === 'enabled' && providers.length && !serving.has(account.channel)) found.push({ account, kind: 'unserved' });
    else if (account.status === 'enabled' && tripped.has(account.account_uid)) found.push({ account, kind: 'retrying' });
  }
  return found;
}

export function AccountIssues() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const accounts = useAccounts();
  const providers = useProviders();
  const plugins = usePlugins();
  const channelName = useChannelName();
  const rows = issuesOf(accounts.data?.items ?? [], providers.data?.items ?? [], plugins.data?.items ?? []);
  const columns: Column<Issue>[] = [
    {
      key: 'account',
      title: t('account.name'),
      cell: ({ account }) => (
        <span className="row">
          <strong>{account.display_name || account.account_id}</strong>
          <span className="muted">{channelName(account.channel)}</span>
        </span>
      ),
    },
    {
      key: 'kind',
      title: t('account.issue'),
      cell: ({ kind }) => (
        <span className="row">
          <Tag tone={kind === 'retrying' ? 'warn' : 'err'}>{t(`account.issues.${kind}`)}</Tag>
          <span className="second">{t(`account.issueText.${kind}`)}</span>
        </span>
      ),
    },
    { key: 'since', title: t('account.changed'), cell: ({ account }) => <Time at={account.updated_at} /> },
  ];
  const open = ({ account }: Issue) =>
    void navigate({ to: '/accounts/$channel/$accountId', params: { channel: account.channel, accountId: account.account_id } });
  return (
    <Card title={t('monitor.issues')} flush actions={<Link to="/accounts">{t('do.all')}</Link>}>
      {accounts.isPending ? (
        <Skeleton lines={3} />
      ) : accounts.error && !accounts.data ? (
        <Failed error={accounts.error} retry={() => void accounts.refetch()} />
      ) : rows.length === 0 ? (
        <Empty icon="check" text={accounts.data?.items.length ? t('monitor.noIssues') : t('account.none')} />
      ) : (
        <DataTable label={t('monitor.issues')} rows={rows} columns={columns} id={(one) => one.account.account_uid} open={open} />
      )}
    </Card>
  );
}
