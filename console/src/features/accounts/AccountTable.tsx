// Accounts as a table: who they are, how they are, how much goes through them.
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useChannelName, useTallies } from '../../api/lists';
import type { AccountView } from '../../api/schema';
import { shownOf } from '../../components/columns';
import { DataTable, type Column, type TableProps } from '../../components/DataTable';
import { Time } from '../../components/Facts';
import { Status, Tag } from '../../components/Status';
import { count, percent } from '../../i18n/format';
import { arrivedOf, toneOfIssue, type IssueKind } from '../monitor/issues';

/** Return every column that a list of accounts can have. */
export function useAccountColumns(issues?: ReadonlyMap<string, IssueKind>): Column<AccountView>[] {
  const { t, i18n } = useTranslation();
  const channelName = useChannelName();
  const tallies = useTallies();
  return useMemo(() => {
    const of = (one: AccountView) => tallies.data?.get(one.account_uid);
    const n = (value: number | undefined) => (value ? count(value, i18n.language) : <span className="muted">0</span>);
    return [
      {
        key: 'name',
        title: t('account.name'),
        sort: (one) => one.display_name || one.account_id,
        cell: (one) => <strong>{one.display_name || one.account_id}</strong>,
      },
      { key: 'channel', title: t('account.channel'), optional: 'shown', sort: (one) => channelName(one.channel), cell: (one) => channelName(one.channel) },
      { key: 'id', title: t('account.id'), optional: 'shown', cell: (one) => <code className="second">{one.account_id}</code> },
      {
        key: 'status',
        title: t('account.status'),
        cell: (one) => {
          const issue = issues?.get(one.account_uid);
          return (
            <span className="row">
              <Status kind="account" state={one.status} />
              {issue && <Tag tone={toneOfIssue(issue)}>{t(`account.issues.${issue}`)}</Tag>}
            </span>
          );
        },
      },
      { key: 'received', title: t('account.received24h'), num: true, optional: 'shown', sort: (one) => of(one)?.received ?? 0, cell: (one) => n(of(one)?.received) },
      { key: 'sent', title: t('account.sent24h'), num: true, optional: 'shown', sort: (one) => of(one)?.sent ?? 0, cell: (one) => n(of(one)?.sent) },
      {
        key: 'failed',
        title: t('account.failed24h'),
        num: true,
        optional: 'shown',
        sort: (one) => of(one)?.failed ?? 0,
        cell: (one) =>
          of(one)?.failed ? (
            <Link className="bad" to="/outbox" search={{ group: 'dead', channel: one.channel, account: one.account_id } as never}>
              {n(of(one)?.failed)}
            </Link>
          ) : (
            n(0)
          ),
      },
      {
        key: 'success',
        title: t('account.success24h'),
        num: true,
        optional: 'shown',
        sort: (one) => arrivedOf(of(one)) ?? -1,
        cell: (one) => {
          const share = arrivedOf(of(one));
          return share === null ? <span className="muted">–</span> : percent(share);
        },
      },
      { key: 'last', title: t('account.lastMessage'), optional: 'shown', sort: (one) => of(one)?.last_at ?? 0, cell: (one) => <Time at={of(one)?.last_at} /> },
      {
        key: 'external',
        title: t('account.external'),
        optional: 'hidden',
        cell: (one) => (one.external_id ? <code>{one.external_id}</code> : <span className="muted">–</span>),
      },
      {
        key: 'owner',
        title: t('account.owner'),
        optional: 'hidden',
        cell: (one) => (one.owner_user_id ? <Tag>{t('account.ofUser')}</Tag> : <span className="muted">{t('account.ofAdmins')}</span>),
      },
      { key: 'created', title: t('account.created'), optional: 'hidden', sort: (one) => one.created_at, cell: (one) => <Time at={one.created_at} /> },
      { key: 'updated', title: t('account.changed'), optional: 'hidden', sort: (one) => one.updated_at, cell: (one) => <Time at={one.updated_at} /> },
    ];
  }, [t, i18n.language, channelName, tallies.data, issues]);
}

export function AccountTable(props: {
  rows: AccountView[];
  columns?: Column<AccountView>[];
  selection?: TableProps<AccountView>['selection'];
  sorting?: TableProps<AccountView>['sorting'];
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const usual = useAccountColumns();
  return (
    <DataTable
      label={t('tabs.accounts')}
      rows={props.rows}
      columns={props.columns ?? shownOf(usual, {})}
      id={(one) => one.account_uid}
      selection={props.selection}
      sorting={props.sorting}
      open={(one) =>
        void navigate({ to: '/accounts/$channel/$accountId', params: { channel: one.channel, accountId: one.account_id } })
      }
    />
  );
}
