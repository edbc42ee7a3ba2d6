// The outbox: what waits, what arrived, what is dead; each try of each, and sending again.
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import { useChannelName } from '../../api/lists';
import type { DeliveryState, ReplayFilter, StoredDelivery } from '../../api/schema';
import { useAddress } from '../../app/address';
import { say } from '../../app/notices';
import { useMay } from '../../app/session';
import { act } from '../../app/confirmed';
import { useColumns } from '../../components/columns';
import { Confirm } from '../../components/Confirm';
import { PagedTable, type Column } from '../../components/DataTable';
import { Countdown, Id, Time } from '../../components/Facts';
import { ChipFilter, ChoiceFilter, Filters, NothingHere, SearchFilter, sinceOf, TimeFilter } from '../../components/Filters';
import { Icon } from '../../components/Icon';
import { MonitorTabs } from '../../components/MonitorTabs';
import { Card, Page } from '../../components/Page';
import { usePaged } from '../../components/paged';
import { Status } from '../../components/Status';
import { AccountFilters } from '../accounts/AccountFilters';
import { DEAD_STATES, deliveriesIn, outboxFigures, STATES } from '../monitor/figures';
import { Cause, Causes } from './Causes';
import { CancelDialog } from './CancelDialog';
import { CANCELLABLE, DeliveryPanel } from './DeliveryPanel';
import { Jobs } from './Jobs';
import { ReplayDialog, type ReplayWhat } from './ReplayDialog';

const FILTERS = ['state', 'group', 'cause', 'channel', 'account', 'peer', 'time'];

export function OutboxPage() {
  const { t } = useTranslation();
  const [search, change] = useAddress();
  const mayOperate = useMay('operator');
  const channelName = useChannelName();
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const [replay, setReplay] = useState<ReplayWhat | null>(null);
  const [cancelling, setCancelling] = useState<string[] | null>(null);
  const [isReleasing, setReleasing] = useState(false);
  const monitor = useQuery({ queryKey: ['monitor'], queryFn: () => take(api.GET('/wunder/admin/channels/monitor')) });
  const figures = monitor.data?.figures as Record<string, number> | undefined;
  const state = (search.state ?? '') as DeliveryState | '';
  const group = search.group === 'open' || search.group === 'dead' ? search.group : '';
  const since = sinceOf(search.time);
  const query = {
    ...(state ? { state } : group ? { group: group as 'open' } : {}),
    ...(search.cause ? { error_kind: search.cause } : {}),
    ...(search.channel ? { channel: search.channel } : {}),
    ...(search.account ? { account_id: search.account } : {}),
    ...(search.peer ? { peer_id: search.peer } : {}),
    ...(since ? { since } : {}),
  };
  const isDeadState = (DEAD_STATES as readonly string[]).includes(state);
  const replayFilter: ReplayFilter = {
    states: isDeadState ? [state as DeliveryState] : [...DEAD_STATES],
    ...(search.cause ? { error_kind: search.cause } : {}),
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
  const { open, dead } = outboxFigures(figures);
  const all: Column<StoredDelivery>[] = [
    {
      key: 'state',
      title: t('outbox.state'),
      cell: (one) => (
        <span className="row">
          <Status kind="delivery" state={one.state} detail={one.error} />
          {one.receipt !== 'none' && <Status kind="receipt" state={one.receipt} />}
          {one.successor_id && <span className="meta">{t('outbox.wasCorrected')}</span>}
        </span>
      ),
    },
    { key: 'age', title: t('outbox.queued'), optional: 'shown', cell: (one) => <Time at={one.created_at} /> },
    {
      key: 'account',
      title: t('account.name'),
      cell: (one) => (
        <span className="row nowrap">
          <span>{one.account_id}</span>
          <span className="muted">{channelName(one.channel)}</span>
        </span>
      ),
    },
    { key: 'peer', title: t('outbox.to'), optional: 'shown', cell: (one) => <Id value={one.peer_id} label={t('outbox.to')} /> },
    { key: 'text', title: t('message.text'), optional: 'shown', cell: (one) => <span className="truncate" style={{ display: 'block', maxWidth: 240 }}>{one.excerpt}</span> },
    { key: 'served', title: t('account.servedBy'), optional: 'hidden', cell: (one) => (one.plugin_id ? <span>{one.plugin_id} <code className="muted">{one.version}</code></span> : <span className="muted">–</span>) },
    { key: 'attempts', title: t('outbox.attempts'), num: true, optional: 'shown', cell: (one) => one.attempts },
    {
      key: 'error',
      title: t('outbox.lastError'),
      optional: 'shown',
      cell: (one) =>
        one.error_kind || one.error ? (
          <span className="truncate" style={{ display: 'block', maxWidth: 300 }} title={one.error}>
            <Cause kind={one.error_kind} /> <span className="second">{one.error}</span>
          </span>
        ) : (
          <span className="muted">–</span>
        ),
    },
    { key: 'next', title: t('outbox.next'), optional: 'shown', cell: (one) => (one.retry_at ? <Countdown to={one.retry_at} /> : <span className="muted">–</span>) },
    { key: 'id', title: t('outbox.id'), optional: 'shown', cell: (one) => <Id value={one.delivery_id} label={t('outbox.id')} /> },
  ];
  const [columns, chooser] = useColumns('deliveries', all);
  const picked = list.rows.filter((one) => chosen.has(one.delivery_id));
  const waiting = picked.filter((one) => CANCELLABLE.includes(one.state)).map(id);
  const changed = () => {
    setChosen(new Set());
    list.reload();
  };
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
                setReplay({ kind: 'filter', filter: replayFilter })
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
        {mayOperate && dead > 0 && (group === 'dead' || isDeadState) && <Causes filter={replayFilter} />}
        <Card flush>
          <Filters
            names={FILTERS}
            end={
              <>
                {mayOperate && picked.length > 0 && (
                  <>
                    <span className="meta">{t('list.chosen', { count: picked.length })}</span>
                    <Button size="small" type="primary" onClick={() => setReplay({ kind: 'ids', ids: picked.map(id) })}>
                      {t('outbox.replay')}
                    </Button>
                    {waiting.length > 0 && (
                      <Button size="small" danger onClick={() => setCancelling(waiting)}>
                        {t('outbox.cancelCount', { count: waiting.length })}
                      </Button>
                    )}
                  </>
                )}
                {chooser}
              </>
            }
          >
            <ChipFilter
              name="group"
              label={t('outbox.group')}
              instead="state"
              options={[
                { value: 'open', label: t('monitor.open'), count: open },
                { value: 'dead', label: t('monitor.dead'), count: dead },
              ]}
            />
            <ChoiceFilter
              name="state"
              label={t('outbox.state')}
              instead="group"
              width={130}
              options={STATES.map((one) => ({ value: one, label: [t(`state.delivery.${one}`), one !== 'sent' && deliveriesIn(figures, one)].filter(Boolean).join(' · ') }))}
            />
            <AccountFilters />
            {search.cause && (
              <button type="button" className="chip-off" title={t('outbox.causeOff')} onClick={() => change({ cause: '' })}>
                <Cause kind={search.cause} /> <Icon name="close" size={12} />
              </button>
            )}
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
          changed={changed}
        />
      )}
      {replay && (
        <ReplayDialog
          what={replay}
          close={() => setReplay(null)}
          done={changed}
        />
      )}
      {cancelling && <CancelDialog ids={cancelling} close={() => setCancelling(null)} done={changed} />}
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
