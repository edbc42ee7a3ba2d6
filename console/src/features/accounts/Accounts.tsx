// All accounts: found, filtered, switched on and off, exported, removed with what hangs on them.
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Button } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import { useAccounts, useChannelChoices, useTallies } from '../../api/lists';
import type { AccountImpact, AccountView } from '../../api/schema';
import { useAddress } from '../../app/address';
import { act } from '../../app/confirmed';
import { say } from '../../app/notices';
import { useMay } from '../../app/session';
import { useColumns } from '../../components/columns';
import { Confirm } from '../../components/Confirm';
import type { Column } from '../../components/DataTable';
import { Pairs } from '../../components/Facts';
import { ChipFilter, ChoiceFilter, Filters, NothingHere, SearchFilter, sinceOf, TimeFilter } from '../../components/Filters';
import { Icon } from '../../components/Icon';
import { Menu } from '../../components/Menu';
import { MonitorTabs } from '../../components/MonitorTabs';
import { Card, Page } from '../../components/Page';
import { useSorting } from '../../components/sorting';
import { Failed, Skeleton } from '../../components/States';
import { useIssues } from '../monitor/issues';
import { AccountTable, useAccountColumns } from './AccountTable';
import { saveCsv } from './csv';
import { setEnabled } from './calls';

const FILTERS = ['q', 'channel', 'status', 'active', 'issues'];

type Asking = { kind: 'remove' | 'disable'; accounts: AccountView[] };

export function AccountsPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const mayWrite = useMay('admin');
  const [search] = useAddress();
  const accounts = useAccounts();
  const tallies = useTallies();
  const choices = useChannelChoices();
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const [asking, setAsking] = useState<Asking | null>(null);
  const ill = useIssues();
  const issues = useMemo(() => new Map(ill.map((one) => [one.account.account_uid, one.kind])), [ill]);
  const found = useMemo(() => {
    const text = search.q?.toLowerCase() ?? '';
    const since = sinceOf(search.active);
    return (accounts.data?.items ?? []).filter(
      (one) =>
        (!text || [one.account_id, one.display_name, one.external_id, one.account_uid].some((each) => each.toLowerCase().includes(text))) &&
        (!search.channel || one.channel === search.channel) &&
        (!search.status || one.status === search.status) &&
        (!since || (tallies.data?.get(one.account_uid)?.last_at ?? 0) >= since) &&
        (!search.issues || issues.has(one.account_uid)),
    );
  }, [accounts.data, search, issues, tallies.data]);
  const all = useAccountColumns(issues);
  const [columns, chooser] = useColumns('accounts', all);
  const [rows, sorting] = useSorting(found, all);
  const picked = rows.filter((one) => chosen.has(one.account_uid));
  const refresh = () => {
    void client.invalidateQueries({ queryKey: ['accounts'] });
    void client.invalidateQueries({ queryKey: ['account'] });
  };
  const [progress, setProgress] = useState('');
  const switchMany = async (list: AccountView[], isEnabled: boolean) => {
    if (progress) return;
    setProgress(`0 / ${list.length}`);
    const done = await eachOf(list, (one, at) => {
      setProgress(`${at} / ${list.length}`);
      return setEnabled(one, isEnabled);
    });
    setProgress('');
    say(t('account.batch', { done: done.ok, failed: done.failed }));
    const switched = new Set(list.map((one) => one.account_uid));
    // What was chosen meanwhile stays.
    setChosen((now) => new Set([...now].filter((one) => !switched.has(one))));
    refresh();
  };
  const more: Column<AccountView> = {
    key: 'more',
    title: <span className="visually-hidden">{t('do.actions')}</span>,
    width: 44,
    cell: (one) => (
      <Menu
        label={t('do.actionsOf', { what: one.display_name || one.account_id })}
        items={[
          one.status === 'enabled'
            ? { key: 'off', label: t('do.disable'), run: () => setAsking({ kind: 'disable', accounts: [one] }) }
            : { key: 'on', label: t('do.enable'), run: () => void switchMany([one], true) },
          { key: 'remove', label: t('do.remove'), danger: true, run: () => setAsking({ kind: 'remove', accounts: [one] }) },
        ]}
      >
        <Icon name="more" />
      </Menu>
    ),
  };
  const add = mayWrite && (
    <Button type="primary" icon={<Icon name="plus" size={14} />} onClick={() => void navigate({ to: '/accounts/new' })}>
      {t('account.add')}
    </Button>
  );
  return (
    <>
      <MonitorTabs />
      <Page
        title={t('tabs.accounts')}
        actions={
          <div className="row">
            <Button icon={<Icon name="download" size={14} />} disabled={!rows.length} onClick={() => saveCsv(picked.length ? picked : rows, tallies.data)}>
              {t('do.exportCsv')}
            </Button>
            {add}
          </div>
        }
      >
        <Card flush>
          <Filters
            names={FILTERS}
            end={
              <>
                {picked.length > 0 && mayWrite && (
                <>
                  <span className="meta num">{progress || t('list.chosen', { count: picked.length })}</span>
                  <Button size="small" loading={progress !== ''} onClick={() => void switchMany(picked, true)}>
                    {t('do.enable')}
                  </Button>
                  <Button size="small" disabled={progress !== ''} onClick={() => setAsking({ kind: 'disable', accounts: picked })}>
                    {t('do.disable')}
                  </Button>
                  <Button size="small" danger disabled={progress !== ''} onClick={() => setAsking({ kind: 'remove', accounts: picked })}>
                    {t('do.remove')}
                  </Button>
                </>
                )}
                {chooser}
              </>
            }
          >
            <SearchFilter name="q" placeholder={t('account.search')} />
            <ChoiceFilter name="channel" label={t('account.channel')} options={choices} width={160} />
            <ChoiceFilter
              name="status"
              label={t('account.status')}
              options={['enabled', 'disabled', 'draft'].map((one) => ({ value: one, label: t(`state.account.${one}`) }))}
            />
            <TimeFilter name="active" label={t('account.active')} />
            <ChipFilter name="issues" label={t('account.issuesOnly')} options={[{ value: '1', label: t('account.issuesOnly'), count: issues.size }]} />
          </Filters>
          {accounts.isPending ? (
            <Skeleton lines={8} />
          ) : !accounts.data ? (
            <Failed error={accounts.error} retry={() => void accounts.refetch()} />
          ) : rows.length === 0 ? (
            <NothingHere names={FILTERS} icon="account" text={t('account.none')} hint={t('account.noneHint')} action={add} />
          ) : (
            <AccountTable
              rows={rows}
              columns={mayWrite ? [...columns, more] : columns}
              sorting={sorting}
              selection={mayWrite ? { chosen, change: setChosen } : undefined}
            />
          )}
        </Card>
      </Page>
      {asking?.kind === 'remove' && (
        <RemoveAccounts
          accounts={asking.accounts}
          close={() => setAsking(null)}
          done={() => {
            setChosen(new Set());
            refresh();
          }}
        />
      )}
      {asking?.kind === 'disable' && (
        <Confirm
          title={t('account.disableTitle', { count: asking.accounts.length })}
          action={t('do.disable')}
          close={() => setAsking(null)}
          run={() => switchMany(asking.accounts, false)}
        >
          <p>{t('account.disableText')}</p>
        </Confirm>
      )}
    </>
  );
}

/** Do one thing to each; one that fails does not stop the others. */
async function eachOf<T>(list: T[], run: (one: T, at: number) => Promise<unknown>): Promise<{ ok: number; failed: number }> {
  let ok = 0;
  for (const [at, one] of list.entries()) {
    try {
      await run(one, at);
      ok++;
    } catch {
      // Counted below: the summary says how many, the rows say which.
    }
  }
  return { ok, failed: list.length - ok };
}

/** Ask before accounts go: with what hangs on them, counted by the gateway. */
export function RemoveAccounts(props: { accounts: AccountView[]; close: () => void; done: () => void }) {
  const { t } = useTranslation();
  const { accounts } = props;
  const only = accounts.length === 1 ? accounts[0] : undefined;
  const [impact, setImpact] = useState<AccountImpact[] | null>(null);
  const [isAsked, setAsked] = useState(false);
  if (!isAsked) {
    setAsked(true);
    void Promise.all(
      accounts.slice(0, 20).map((one) =>
        take(
          api.GET('/wunder/admin/channels/accounts/{channel}/{account_id}/impact', {
            params: { path: { channel: one.channel, account_id: one.account_id } },
          }),
        ).catch((): AccountImpact => ({ bindings: [], open_deliveries: 0, has_more: true })),
      ),
    ).then(setImpact);
  }
  const bindings = new Set(impact?.flatMap((one) => one.bindings));
  const open = impact?.reduce((sum, one) => sum + one.open_deliveries, 0) ?? 0;
  const hasMore = impact?.some((one) => one.has_more) || accounts.length > 20;
  return (
    <Confirm
      title={only ? t('account.removeTitle', { name: only.display_name || only.account_id }) : t('account.removeMany', { count: accounts.length })}
      typed={only ? only.account_id : String(accounts.length)}
      action={t('do.remove')}
      danger
      disabled={!impact}
      close={props.close}
      run={async () => {
        const done = await eachOf(accounts, (one) =>
          act(() =>
            api.DELETE('/wunder/admin/channels/accounts/{channel}/{account_id}', {
              params: { path: { channel: one.channel, account_id: one.account_id } },
            }),
          ),
        );
        say(t('account.batch', { done: done.ok, failed: done.failed }));
        props.done();
      }}
    >
      <p>{t('account.removeText')}</p>
      {impact ? (
        <Pairs
          of={[
            [t('account.impactBindings'), `${bindings.size}`],
            [t('account.impactOpen'), `${open}${hasMore ? '+' : ''}`],
          ]}
        />
      ) : (
        <Skeleton lines={2} />
      )}
    </Confirm>
  );
}
