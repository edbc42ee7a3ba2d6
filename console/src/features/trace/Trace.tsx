// One message from the webhook to the receipt: a waterfall, the same as a table, and as JSON.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Button, Segmented } from 'antd';
import { useTranslation } from 'react-i18next';
import { ApiError, api, take } from '../../api/client';
import { useChannelName } from '../../api/lists';
import type { Step, StoredMessage } from '../../api/schema';
import { useAddress } from '../../app/address';
import { act } from '../../app/confirmed';
import { complain, say } from '../../app/notices';
import { useMay } from '../../app/session';
import { DataTable, type Column } from '../../components/DataTable';
import { CopyButton, Id, Json, Pairs, useNow } from '../../components/Facts';
import { Icon } from '../../components/Icon';
import { Card, Page } from '../../components/Page';
import { Empty, Failed, Skeleton } from '../../components/States';
import { Status, type Tone } from '../../components/Status';
import { clock, duration, moment } from '../../i18n/format';
import { DeliveryPanel } from '../outbox/DeliveryPanel';
import '../outbox/outbox.css';
import './trace.css';
import { barsOf, outcomeOf, type Bar } from './waterfall';

const OUTCOME: Record<ReturnType<typeof outcomeOf>, Tone> = {
  sent: 'ok',
  open: 'busy',
  failed: 'err',
  unknown: 'warn',
  no_answer: 'off',
  received: 'off',
};

export function TracePage() {
  const { t } = useTranslation();
  const { messageId } = useParams({ from: '/in/trace/$messageId' });
  const path = { message_id: messageId };
  const message = useQuery({
    queryKey: ['trail', messageId, 'message'],
    queryFn: () => take(api.GET('/wunder/admin/channels/messages/{message_id}', { params: { path } })),
  });
  const trail = useQuery({
    queryKey: ['trail', messageId],
    queryFn: () => take(api.GET('/wunder/admin/channels/messages/{message_id}/trail', { params: { path } })),
    // While something is going on it is looked at closely; the stream tells of the rest.
    refetchInterval: (query) => (query.state.data && outcomeOf(query.state.data.items) === 'open' ? 2_000 : false),
  });
  const crumb = (
    <>
      <Link to="/trace">{t('nav.trace')}</Link>
      <span className="muted">/</span>
    </>
  );
  if (message.isPending || trail.isPending) return <Skeleton lines={10} />;
  if (!trail.data || !message.data) {
    const error = message.error ?? trail.error;
    const isGone = error instanceof ApiError && error.status === 404;
    return (
      <Page title={t('trace.title')} lead={crumb}>
        <Card flush>
          {isGone ? (
            <Empty icon="search" text={t('trace.gone')} hint={t('trace.goneHint')} action={<Link to="/trace">{t('nav.trace')}</Link>} />
          ) : (
            <Failed error={error} retry={() => void Promise.all([message.refetch(), trail.refetch()])} />
          )}
        </Card>
      </Page>
    );
  }
  // A reply's steps stand with the message it answers.
  const root = message.data.in_reply_to;
  return (
    <Page
      title={t('trace.title')}
      lead={crumb}
      actions={
        <div className="row">
          <CopyButton text={location.href} label={t('trace.copyLink')} word={t('trace.copyLink')} />
          <Button icon={<Icon name="download" size={13} />} onClick={() => save(message.data, trail.data.items)}>
            {t('trace.export')}
          </Button>
        </div>
      }
    >
      {root && trail.data.items.length === 0 && (
        <div className="note">
          <Icon name="info" />
          <Link to="/trace/$messageId" params={{ messageId: root }}>
            {t('trace.ofRoot')}
          </Link>
        </div>
      )}
      <Head message={message.data} steps={trail.data.items} />
      <Steps steps={trail.data.items} message={message.data} />
    </Page>
  );
}

function save(message: StoredMessage, steps: Step[]) {
  const url = URL.createObjectURL(new Blob([JSON.stringify({ message, steps }, null, 2)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `trace-${message.message_id}.json`;
  link.click();
  URL.revokeObjectURL(url);
}

function Head(props: { message: StoredMessage; steps: Step[] }) {
  const { t } = useTranslation();
  const { message, steps } = props;
  const client = useQueryClient();
  const channelName = useChannelName();
  const mayOperate = useMay('operator');
  const outcome = outcomeOf(steps);
  const served = steps.findLast((one) => one.version);
  const times = steps.map((one) => one.at);
  const total = times.length ? Math.max(...times) - Math.min(...times) : 0;
  const reroute = async () => {
    try {
      const done = await act(() =>
        api.POST('/wunder/admin/channels/messages/{message_id}/reroute', { params: { path: { message_id: message.message_id } } }),
      );
      say(t('trace.rerouted', { count: done.moved }));
    } catch (error) {
      complain(error);
    }
    void client.invalidateQueries({ queryKey: ['trail'] });
  };
  return (
    <Card>
      <div className="stack">
        {message.text && <blockquote className="said">{message.text}</blockquote>}
        {(message.state === 'unrouted' || message.state === 'failed') && (
          <div className="note warn">
            <Icon name="warning" />
            <div className="grow">
              <strong>{t(`state.message.${message.state}`)}</strong> {message.reason}
              <div>{t(`trace.help.${message.state}`)}</div>
            </div>
            {mayOperate && <Button onClick={() => void reroute()}>{t('trace.reroute')}</Button>}
          </div>
        )}
        <Pairs
          columns={2}
          of={[
            [t('trace.outcome'), <Status key="outcome" kind="outcome" state={outcome} tone={OUTCOME[outcome]} />],
            [t('trace.took'), steps.length > 1 ? duration(total) : ''],
            [t('message.who'), <span key="who" className="row">{message.sender_name || message.peer_name}<Id value={message.sender_id || message.peer_id} /></span>],
            [t('account.name'), <Link key="account" to="/accounts/$channel/$accountId" params={{ channel: message.channel, accountId: message.account_id }}>{message.account_id} · {channelName(message.channel)}</Link>],
            [t('account.servedBy'), served && <span key="served">{served.plugin_id} <code>{served.version}</code></span>],
            [t('session.one'), message.session_id && <Link key="session" to="/sessions" search={{ session: message.session_id } as never}>{t('session.open')}</Link>],
            [t('trace.messageId'), <Id key="id" value={message.message_id} full />],
            [t('outbox.platformId'), message.platform_message_id && <Id key="platform" value={message.platform_message_id} />],
            [t('trace.turnId'), message.turn_id && <Id key="turn" value={message.turn_id} />],
            [t('message.at'), moment(message.created_at)],
          ]}
        />
      </div>
    </Card>
  );
}

function Steps(props: { steps: Step[]; message: StoredMessage }) {
  const { t } = useTranslation();
  const [search, change] = useAddress();
  const view = search.view ?? 'timeline';
  const { steps } = props;
  if (!steps.length) {
    return (
      <Card flush>
        <Empty icon="trace" text={t('trace.noSteps')} hint={t('trace.goneHint')} />
      </Card>
    );
  }
  return (
    <>
      <Card
        title={t('trace.steps')}
        flush
        actions={
          <Segmented
            size="small"
            aria-label={t('trace.view')}
            value={view}
            options={(['timeline', 'table', 'json'] as const).map((one) => ({ value: one, label: t(`trace.views.${one}`) }))}
            onChange={(next: string) => change({ view: next === 'timeline' ? '' : next }, { replace: true })}
          />
        }
      >
        {view === 'json' ? (
          <div style={{ padding: 16 }}>
            <Json value={steps} label="JSON" />
          </div>
        ) : view === 'table' ? (
          <StepTable steps={steps} />
        ) : (
          <Waterfall steps={steps} open={(deliveryId) => change({ delivery: deliveryId })} />
        )}
      </Card>
      {search.delivery && (
        <DeliveryPanel key={search.delivery} deliveryId={search.delivery} close={() => change({ delivery: '' })} />
      )}
    </>
  );
}

function Waterfall(props: { steps: Step[]; open: (deliveryId: string) => void }) {
  const { t } = useTranslation();
  const now = useNow();
  const { bars, start, length } = barsOf(props.steps, now);
  return (
    <ol className="waterfall">
      <li className="axis" aria-hidden="true">
        <span />
        <span className="track">
          {[0, 0.25, 0.5, 0.75, 1].map((share) => (
            <i key={share} style={{ left: `${share * 100}%` }}>
              {duration(length * share)}
            </i>
          ))}
        </span>
        <span />
      </li>
      {bars.map((bar) => (
        <Row key={bar.key} bar={bar} start={start} length={length} open={props.open} say={(name) => t(`trace.stretch.${name}`)} />
      ))}
    </ol>
  );
}

function Row(props: { bar: Bar; start: number; length: number; open: (deliveryId: string) => void; say: (name: string) => string }) {
  const { t } = useTranslation();
  const { bar, length } = props;
  const { step } = bar;
  const detail = (step.detail ?? {}) as Record<string, unknown>;
  const facts = Object.entries(detail).filter(([, value]) => value !== '' && value !== null && typeof value !== 'object');
  return (
    <li>
      <span className="stretch">
        <span className={`kind ${bar.kind}`} aria-hidden="true">
          {bar.isOpen ? '◌' : bar.kind === 'fail' ? '✕' : bar.kind === 'wait' ? '⋯' : '●'}
        </span>
        <span>
          {props.say(bar.name)}
          {step.attempt_no ? ` #${step.attempt_no}` : ''}
          {bar.isOpen && <span className="meta"> {t('trace.going')}</span>}
        </span>
      </span>
      <span className="track" title={`${clock(props.start + bar.start)} · ${duration(bar.length)}`}>
        <b
          className={[bar.kind, bar.isOpen && 'open'].filter(Boolean).join(' ')}
          style={{ left: `${(bar.start / length) * 100}%`, width: `max(3px, ${(bar.length / length) * 100}%)` }}
        />
      </span>
      <span className="num">{duration(bar.length)}</span>
      <span className="facts meta">
        {t(`trace.step.${step.step}`)} {clock(step.at)}
        {facts.map(([name, value]) => (
          <code key={name}>
            {name}={String(value)}
          </code>
        ))}
        {step.delivery_id && (
          <button type="button" className="link" onClick={() => props.open(step.delivery_id ?? '')}>
            {t('outbox.open')}
          </button>
        )}
      </span>
    </li>
  );
}

function StepTable(props: { steps: Step[] }) {
  const { t } = useTranslation();
  const first = props.steps[0]?.at ?? 0;
  const columns: Column<Step>[] = [
    { key: 'at', title: t('message.at'), cell: (one) => <span title={moment(one.at)}>{clock(one.at)}</span> },
    { key: 'offset', title: '+', num: true, cell: (one) => duration(one.at - first) },
    { key: 'step', title: t('trace.stepName'), cell: (one) => t(`trace.step.${one.step}`) },
    { key: 'try', title: t('outbox.attempts'), num: true, cell: (one) => one.attempt_no || '–' },
    { key: 'plugin', title: t('plugin.name'), cell: (one) => (one.plugin_id ? `${one.plugin_id} ${one.version}` : '–') },
    { key: 'delivery', title: t('outbox.one'), cell: (one) => <Id value={one.delivery_id ?? ''} /> },
    { key: 'detail', title: t('trace.detail'), cell: (one) => (Object.keys(one.detail ?? {}).length ? <code>{JSON.stringify(one.detail)}</code> : '–') },
  ];
  return <DataTable label={t('trace.steps')} rows={props.steps} columns={columns} id={(one) => `${one.at}-${one.step}-${one.delivery_id}-${one.attempt_no}`} />;
}
