// One delivery beside the list: its text, its state, each try, and sending it again, as it was or corrected.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import { useChannelName } from '../../api/lists';
import type { StoredAttempt } from '../../api/schema';
import { useAddress } from '../../app/address';
import { useMay } from '../../app/session';
import { Countdown, Id, Json, Pairs, Time } from '../../components/Facts';
import { Panel } from '../../components/Panel';
import { Failed, Skeleton } from '../../components/States';
import { Status } from '../../components/Status';
import { duration } from '../../i18n/format';
import { CancelDialog } from './CancelDialog';
import { Cause } from './Causes';
import { CorrectDialog } from './CorrectDialog';
import { mayBeCorrected } from './correction';
import { ReplayDialog, type ReplayWhat } from './ReplayDialog';
import './outbox.css';

const REPLAYABLE = ['failed', 'unknown', 'expired'];
export const CANCELLABLE = ['pending', 'held'];

export function DeliveryPanel(props: { deliveryId: string; close: () => void; changed?: () => void }) {
  const { t } = useTranslation();
  const channelName = useChannelName();
  const mayOperate = useMay('operator');
  const [replay, setReplay] = useState<ReplayWhat | null>(null);
  const [isCancelling, setCancelling] = useState(false);
  const [isCorrecting, setCorrecting] = useState(false);
  const [, change] = useAddress();
  const path = { delivery_id: props.deliveryId };
  const delivery = useQuery({
    queryKey: ['delivery', props.deliveryId],
    queryFn: () => take(api.GET('/wunder/admin/channels/outbox/{delivery_id}', { params: { path } })),
  });
  const attempts = useQuery({
    queryKey: ['delivery', props.deliveryId, 'attempts'],
    queryFn: () => take(api.GET('/wunder/admin/channels/outbox/{delivery_id}/attempts', { params: { path } })),
  });
  const messageId = delivery.data?.message_id;
  const message = useQuery({
    queryKey: ['message', messageId],
    queryFn: () => take(api.GET('/wunder/admin/channels/messages/{message_id}', { params: { path: { message_id: messageId as string } } })),
    enabled: !!messageId,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const one = delivery.data;
  return (
    <Panel
      title={t('outbox.one')}
      label={t('outbox.one')}
      close={props.close}
      actions={
        one &&
        mayOperate && (
          <>
            {message.data && mayBeCorrected(one) && (
              <Button size="small" onClick={() => setCorrecting(true)}>
                {t('outbox.correct')}
              </Button>
            )}
            {REPLAYABLE.includes(one.state) && !one.successor_id && (
              <Button type="primary" size="small" onClick={() => setReplay({ kind: 'ids', ids: [one.delivery_id] })}>
                {t('outbox.replay')}
              </Button>
            )}
            {CANCELLABLE.includes(one.state) && (
              <Button danger size="small" onClick={() => setCancelling(true)}>
                {t('outbox.cancel')}
              </Button>
            )}
            {one.state === 'sent' && !one.successor_id && (
              <Button size="small" onClick={() => setReplay({ kind: 'ids', ids: [one.delivery_id], force: true })}>
                {t('outbox.resend')}
              </Button>
            )}
          </>
        )
      }
    >
      {delivery.isPending ? (
        <Skeleton lines={8} />
      ) : !one ? (
        <Failed error={delivery.error} retry={() => void delivery.refetch()} />
      ) : (
        <div className="stack wide">
          {message.data?.text && <blockquote className="said">{message.data.text}</blockquote>}
          <Pairs
            of={[
              [t('outbox.state'), <Status key="state" kind="delivery" state={one.state} />],
              [t('outbox.receipt'), one.receipt !== 'none' && <Status key="receipt" kind="receipt" state={one.receipt} />],
              [t('outbox.lastError'), (one.error_kind || one.error) && <span key="error"><Cause kind={one.error_kind} /> <span className="second">{one.error}</span></span>],
              [t('outbox.next'), one.retry_at && <Countdown key="next" to={one.retry_at} />],
              [t('account.name'), <Link key="account" to="/accounts/$channel/$accountId" params={{ channel: one.channel, accountId: one.account_id }}>{one.account_id} · {channelName(one.channel)}</Link>],
              [t('outbox.to'), <Id key="peer" value={one.peer_id} full />],
              [t('outbox.queued'), <Time key="created" at={one.created_at} absolute />],
              [t('outbox.settled'), one.settled_at && <Time key="settled" at={one.settled_at} absolute />],
              [t('outbox.expires'), !one.settled_at && <Time key="expires" at={one.expires_at} />],
              [t('outbox.platformId'), one.provider_message_id && <Id key="platform" value={one.provider_message_id} full />],
              [t('outbox.successor'), one.successor_id && <Other key="successor" id={one.successor_id} open={change} />],
              [t('outbox.predecessor'), one.predecessor_id && <Other key="predecessor" id={one.predecessor_id} open={change} />],
              [t('outbox.replays'), one.replays > 0 && String(one.replays)],
              [t('outbox.id'), <Id key="id" value={one.delivery_id} full />],
              [t('trace.title'), one.root_message_id ? <Link key="trace" to="/trace/$messageId" params={{ messageId: one.root_message_id }}>{t('trace.open')}</Link> : <Link key="trace" to="/trace/$messageId" params={{ messageId: one.message_id }}>{t('trace.open')}</Link>],
            ]}
          />
          <section className="stack tight">
            <h3>{t('outbox.tries')}</h3>
            {attempts.isPending ? (
              <Skeleton lines={3} />
            ) : !attempts.data ? (
              <Failed error={attempts.error} compact retry={() => void attempts.refetch()} />
            ) : attempts.data.items.length === 0 ? (
              <p className="muted">{t('outbox.noTries')}</p>
            ) : (
              <ol className="tries">
                {attempts.data.items.map((each) => (
                  <Try key={each.attempt_id} attempt={each} />
                ))}
              </ol>
            )}
          </section>
        </div>
      )}
      {replay && <ReplayDialog what={replay} close={() => setReplay(null)} done={() => props.changed?.()} />}
      {isCorrecting && one && message.data && (
        <CorrectDialog
          delivery={one}
          message={message.data}
          close={() => setCorrecting(false)}
          done={(deliveryId) => {
            props.changed?.();
            change({ delivery: deliveryId });
          }}
        />
      )}
      {isCancelling && <CancelDialog ids={[props.deliveryId]} close={() => setCancelling(false)} done={() => props.changed?.()} />}
    </Panel>
  );
}

function Other(props: { id: string; open: (changes: { delivery: string }) => void }) {
  return (
    <button type="button" className="link" onClick={() => props.open({ delivery: props.id })}>
      <code>{props.id}</code>
    </button>
  );
}

function Try(props: { attempt: StoredAttempt }) {
  const { t } = useTranslation();
  const { attempt } = props;
  return (
    <li>
      <div className="row wrap">
        <strong>#{attempt.attempt_no}</strong>
        {attempt.part > 0 && <span className="meta">{t('outbox.part', { part: attempt.part + 1 })}</span>}
        <Status kind="attempt" state={attempt.outcome} />
        <Time at={attempt.started_at} absolute />
        <span className="meta">{duration(attempt.took_ms)}</span>
        <span className="meta">
          {attempt.plugin_id} {attempt.version}
        </span>
      </div>
      {(attempt.error || attempt.error_kind || attempt.provider_code) && (
        <p style={{ color: 'var(--err)' }}>
          <Cause kind={attempt.error_kind} /> {attempt.provider_code && <code>{attempt.provider_code}</code>} {attempt.error}
        </p>
      )}
      {attempt.raw_result && (
        <details>
          <summary className="meta">{t('outbox.answer')}</summary>
          <Json value={attempt.raw_result} label={t('outbox.answer')} />
        </details>
      )}
    </li>
  );
}
