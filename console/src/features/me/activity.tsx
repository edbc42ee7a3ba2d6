// What an own account did: how much went through it, and its log.
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import { live } from '../../api/live';
import type { AccountView, Event } from '../../api/schema';
import { Pairs, Time } from '../../components/Facts';
import { Icon } from '../../components/Icon';
import { Card } from '../../components/Page';
import { Empty, Failed, Skeleton } from '../../components/States';
import { count } from '../../i18n/format';
import { FeedLine } from '../monitor/EventFeed';
import { useOwnTallies } from './lists';

/** What the account did, asked often until something has come in. */
export function useActivity(account: AccountView) {
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
export function Traffic(props: { account: AccountView }) {
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

export function RuntimeLog(props: { account: AccountView }) {
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
