// Accounts that need a person, and why.
import { Link, useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useAccounts, useChannelName } from '../../api/lists';
import { DataTable, type Column } from '../../components/DataTable';
import { Time } from '../../components/Facts';
import { Card } from '../../components/Page';
import { Empty, Failed, Skeleton } from '../../components/States';
import { Tag } from '../../components/Status';
import { toneOfIssue, useIssues, type Issue } from './issues';

export function AccountIssues() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const accounts = useAccounts();
  const channelName = useChannelName();
  const rows = useIssues();
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
      cell: ({ account, kind, failed }) => (
        <span className="row wrap">
          <Tag tone={toneOfIssue(kind)}>{t(`account.issues.${kind}`)}</Tag>
          <span className="second">{t(`account.issueText.${kind}`, { count: failed })}</span>
          {kind === 'failing' && (
            <Link to="/outbox" search={{ group: 'dead', channel: account.channel, account: account.account_id } as never}>
              {t('outbox.open')}
            </Link>
          )}
        </span>
      ),
    },
    { key: 'last', title: t('account.lastMessage'), cell: ({ lastAt }) => <Time at={lastAt} /> },
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
