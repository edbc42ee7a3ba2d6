// The outbox: what waits, what arrived, what is dead; each try of each, and sending again.
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import { useAccounts, useChannelChoices, useChannelName } from '../../api/lists';
import type { DeliveryState, StoredDelivery } from '../../api/schema';
import { useAddress } from '../../app/address';
import { say } from '../../app/notices';
import { useMay } from '../../app/session';
import { act } from '../../app/confirmed';
import { Confirm } from '../../components/Confirm';
import { PagedTable, type Column } from '../../components/DataTable';
import { Countdown, Id, Time } from '../../components/Facts';
import { ChipFilter, ChoiceFilter, Filters, NothingHere, SearchFilter, sinceOf, TimeFilter } from '../../components/Filters';
import { Icon } from '../../components/Icon';
import { MonitorTabs } from '../../components/MonitorTabs';
import { Card, Page } from '../../components/Page';
import { usePaged } from '../../components/paged';
import { Status } from '../../components/Status';
import { DEAD_STATES, deliveriesIn, STATES } from '../monitor/figures';
import { DeliveryPanel } from './DeliveryPanel';
import { Jobs } from './Jobs';
import { ReplayDialog, type ReplayWhat } from './ReplayDialog';

const FILTERS = ['state', 'channel', 'account', 'peer', 'time'];

export function OutboxPage() {
  const { t } = useTranslation();
  const [search, change] = useAddress();
  const mayOperate = useMay('operator');
  const channels = useChannelChoices();
  const channelName = useChannelName();
  const accounts = useAccounts();
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const [replay, setReplay] = useState<ReplayWhat | null>(null);
  const [isReleasing, setReleasing] = useState(false);
  const monitor = useQuery({ queryKey: ['monitor'], queryFn: () => take(api.GET('/wunder/admin/channels/monitor')) });
  const figures = monitor.data?.figures as Record<string, number> | undefined;
  // "Dead" is three states; the list is asked for one, so the worst of them that there is.
  const state = (search.state || (search.group === 'dead' ? (DEAD_STATES.find((one) => deliveriesIn(figures, one) > 0) ?? 'failed') : '')) as DeliveryState | '';
  const since = sinceOf(search.time);
  const query = {
    ...(state ? { state } : {}),
    ...(search.channel ? { channel: search.channel } : {}),
    ...(search.account ? { account_id: search.account } : {}),
    ...(search.peer ? { peer_id: search.peer } : {}),
    ...(since ? { since } : {}),
  };
  const id = useCallback((one: StoredDelivery) => one.delivery_id, []);
  const list = usePaged<StoredDelivery>({
    key: ['deliveries', query],
    fetch: (cursor, signal) =>
      take(api.GET('/wunder/admin/channels/outbox', { params: { query: { ...query, limit: 50, ...(cursor ? { cursor } : {}) } }, signal })),
    id,
    follows: (event) => event.type === 'figures' || event.type === 'delivery',
  });
  const held = deliveriesIn(figures, 'held');
  const dead = DEAD_STATES.reduce((sum, one) => sum + deliveriesIn(figures, one), 0);
  const columns: Column<StoredDelivery>[] = [
    {
      key: 'state',
      title: t('outbox.state'),
      cell: (one) => (
        <span className="row">
          <Status kind="delivery" state={one.state} detail={one.error} />
          {one.receipt !== 'none' && <Status kind="receipt" state={one.receipt} />}
        </span>
      ),
    },
    { key: 'age', title: t('outbox.queued'), cell: (one) => <Time at={one.created_at} /> },
    {
      key: 'account',
      title: t('account.name'),
      cell: (one) => (
        <span className="row">
          <span>{one.account_id}</span>
          <span className="muted">{channelName(one.channel)}</span>
        </span>
      ),
    },
    { key: 'peer', title: t('outbox.to'), cell: (one) => <Id value={one.peer_id} label={t('outbox.to')} /> },
    { key: 'attempts', title: t('outbox.attempts'), num: true, cell: (one) => one.attempts },
    {
      key: 'error',
      title: t('outbox.lastError'),
      cell: (one) =>
        one.error_kind || one.error ? (
          <span className="truncate" style={{ display: 'block', maxWidth: 300 }} title={one.error}>
            <code>{one.error_kind}</code> <span className="second">{one.error}</span>
          </span>
        ) : (
          <span className="muted">–</span>
        ),
    },
    { key: 'next', title: t('outbox.next'), cell: (one) => (one.retry_at ? <Countdown to={one.retry_at} /> : <span className="muted">–</span>) },
    { key: 'id', title: t('outbox.id'), cell: (one) => <Id value={one.delivery_id} label={t('outbox.id')} /> },
  ];
  const picked = list.rows.filter((one) => chosen.has(one.delivery_id));
  return (
    <>
      <MonitorTabs />
      <Page
        title={t('tabs.outbox')}
        actions={
          mayOperate && (
            <Button
              icon={<Icon name="replay" size={14} />}
              disabled={dead === 0}
              onClick={() =>
                setReplay({
                  kind: 'filter',
                  filter: {
                    states: state && (DEAD_STATES as readonly string[]).includes(state) ? [state] : [...DEAD_STATES],
                    ...(search.channel ? { channel: search.channel } : {}),
                    ...(search.account ? { account_id: search.account } : {}),
                    ...(search.peer ? { peer_id: search.peer } : {}),
                    ...(since ? { since } : {}),
                  },
                })
              }
            >
              {t('outbox.replayMatching')}
            </Button>
          )
        }
      >
        {held > 0 && (
          <div className="note warn">
            <Icon name="pause" />
            <div className="grow">
              <strong>{t('outbox.held', { count: held })}</strong>
              <div>{t('outbox.heldText')}</div>
            </div>
            {mayOperate && <Button onClick={() => setReleasing(true)}>{t('outbox.release')}</Button>}
          </div>
        )}
        <Jobs />
        <Card flush>
          <div className="filters">
            <ChipFilter
              name="state"
              label={t('outbox.state')}
              options={STATES.map((one) => ({ value: one, label: t(`state.delivery.${one}`), count: one === 'sent' || one === 'cancelled' ? undefined : deliveriesIn(figures, one) }))}
            />
          </div>
          <Filters
            names={FILTERS}
            end={
              mayOperate &&
              picked.length > 0 && (
                <>
                  <span className="meta">{t('list.chosen', { count: picked.length })}</span>
                  <Button size="small" type="primary" onClick={() => setReplay({ kind: 'ids', ids: picked.map(id) })}>
                    {t('outbox.replay')}
                  </Button>
                </>
              )
            }
          >
            <ChoiceFilter name="channel" label={t('account.channel')} options={channels} width={150} />
            <ChoiceFilter
              name="account"
              label={t('account.name')}
              width={150}
              options={(accounts.data?.items ?? [])
                .filter((one) => !search.channel || one.channel === search.channel)
                .map((one) => ({ value: one.account_id, label: one.display_name || one.account_id }))}
            />
            <SearchFilter name="peer" placeholder={t('outbox.peerExactly')} />
            <TimeFilter />
          </Filters>
          <PagedTable
            label={t('tabs.outbox')}
            list={list}
            columns={columns}
            id={id}
            current={search.delivery}
            open={(one) => change({ delivery: one.delivery_id })}
            selection={mayOperate ? { chosen, change: setChosen } : undefined}
            empty={<NothingHere names={FILTERS} icon="delivery" text={t('outbox.none')} hint={t('outbox.noneHint')} />}
          />
        </Card>
      </Page>
      {search.delivery && (
        <DeliveryPanel
          key={search.delivery}
          deliveryId={search.delivery}
          close={() => change({ delivery: '' })}
          replay={(one) => setReplay({ kind: 'ids', ids: [one] })}
        />
      )}
      {replay && (
        <ReplayDialog
          what={replay}
          close={() => setReplay(null)}
          done={() => {
            setChosen(new Set());
            list.reload();
          }}
        />
      )}
      {isReleasing && (
        <Confirm
          title={t('outbox.releaseTitle', { count: held })}
          action={t('outbox.release')}
          close={() => setReleasing(false)}
          run={async () => {
            const done = await act(() => api.POST('/wunder/admin/channels/outbox/release', { body: search.channel ? { channel: search.channel } : null }));
            say(t('outbox.released', { count: done.count }));
            list.reload();
          }}
        >
          <p>{t('outbox.releaseText')}</p>
        </Confirm>
      )}
    </>
  );
}
