// Accounts as a table, with selection where the page acts on many.
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useChannelName } from '../../api/lists';
import type { AccountView } from '../../api/schema';
import { DataTable, type Column, type TableProps } from '../../components/DataTable';
import { Time } from '../../components/Facts';
import { Status, Tag } from '../../components/Status';
import type { Issue } from '../monitor/AccountIssues';

export function AccountTable(props: {
  rows: AccountView[];
  issues?: Map<string, Issue['kind']>;
  selection?: TableProps<AccountView>['selection'];
  more?: Column<AccountView>;
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const channelName = useChannelName();
  const columns: Column<AccountView>[] = [
    {
      key: 'name',
      title: t('account.name'),
      cell: (one) => <strong>{one.display_name || one.account_id}</strong>,
    },
    { key: 'channel', title: t('account.channel'), cell: (one) => channelName(one.channel) },
    { key: 'id', title: t('account.id'), cell: (one) => <code className="second">{one.account_id}</code> },
    {
      key: 'status',
      title: t('account.status'),
      cell: (one) => {
        const issue = props.issues?.get(one.account_uid);
        return (
          <span className="row">
            <Status kind="account" state={one.status} />
            {issue && <Tag tone={issue === 'retrying' ? 'warn' : 'err'}>{t(`account.issues.${issue}`)}</Tag>}
          </span>
        );
      },
    },
    { key: 'external', title: t('account.external'), cell: (one) => (one.external_id ? <code>{one.external_id}</code> : <span className="muted">–</span>) },
    {
      key: 'owner',
      title: t('account.owner'),
      cell: (one) => (one.owner_user_id ? <Tag>{t('account.ofUser')}</Tag> : <span className="muted">{t('account.ofAdmins')}</span>),
    },
    { key: 'updated', title: t('account.changed'), cell: (one) => <Time at={one.updated_at} /> },
    ...(props.more ? [props.more] : []),
  ];
  return (
    <DataTable
      label={t('tabs.accounts')}
      rows={props.rows}
      columns={columns}
      id={(one) => one.account_uid}
      selection={props.selection}
      open={(one) =>
        void navigate({ to: '/accounts/$channel/$accountId', params: { channel: one.channel, accountId: one.account_id } })
      }
    />
  );
}
