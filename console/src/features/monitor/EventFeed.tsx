// What happened, newest first, growing while one looks; can be held still.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import { live } from '../../api/live';
import type { Event } from '../../api/schema';
import { Time } from '../../components/Facts';
import { Icon } from '../../components/Icon';
import { Card } from '../../components/Page';
import { Empty, Failed, Skeleton } from '../../components/States';
import { toneOf } from '../../components/Status';
import './feed.css';

const KEPT = 100;

/** Put an event at the head of those that are shown; one that is there already stays where it is. */
export function withEvent(shown: Event[], event: Event): Event[] {
  if (shown.some((one) => one.event_id === event.event_id)) return shown;
  return [event, ...shown].sort((one, other) => (other.event_id ?? 0) - (one.event_id ?? 0)).slice(0, KEPT);
}

/** Return events of a plugin, an account or all, and those that come while one looks. */
export function useEvents(filter: { pluginId?: string; accountUid?: string }, isHeld: boolean) {
  const { pluginId = '', accountUid = '' } = filter;
  const first = useQuery({
    queryKey: ['events', pluginId, accountUid],
    queryFn: () =>
      take(
        api.GET('/wunder/admin/channels/events', {
          params: { query: { limit: 50, ...(pluginId ? { plugin_id: pluginId } : {}), ...(accountUid ? { account_uid: accountUid } : {}) } },
        }),
      ),
  });
  const [more, setMore] = useState<Event[]>([]);
  const waiting = useRef<Event[]>([]);
  const [held, setHeld] = useState(0);
  useEffect(() => {
    setMore([]);
    return live.listen((said) => {
      const event = said.body as unknown as Event;
      if (!event.name || !event.event_id) return;
      if ((pluginId && event.plugin_id !== pluginId) || (accountUid && event.account_uid !== accountUid)) return;
      waiting.current = [event, ...waiting.current].slice(0, KEPT);
      setHeld(waiting.current.length);
    });
  }, [pluginId, accountUid]);
  useEffect(() => {
    if (isHeld || held === 0) return;
    const arrived = waiting.current;
    waiting.current = [];
    setHeld(0);
    setMore((old) => arrived.reduceRight(withEvent, old));
  }, [isHeld, held]);
  const events = more.reduceRight(withEvent, first.data?.items ?? []);
  return { first, events, held };
}

export function EventFeed(props: { pluginId?: string; accountUid?: string }) {
  const { t } = useTranslation();
  const [isHeld, setHeld] = useState(false);
  const { first, events, held } = useEvents(props, isHeld);
  return (
    <Card
      title={t('monitor.events')}
      flush
      actions={
        <button type="button" className="text-button row" aria-pressed={isHeld} onClick={() => setHeld(!isHeld)}>
          <Icon name={isHeld ? 'play' : 'pause'} size={13} />
          {isHeld ? t('monitor.resume', { count: held }) : t('monitor.pause')}
        </button>
      }
    >
      {first.isPending ? (
        <Skeleton lines={8} />
      ) : first.error && !first.data ? (
        <Failed error={first.error} retry={() => void first.refetch()} />
      ) : events.length === 0 ? (
        <Empty icon="monitor" text={t('monitor.noEvents')} />
      ) : (
        <ol className="feed" tabIndex={0} aria-label={t('monitor.events')}>
          {events.map((one) => (
            <FeedLine key={one.event_id} event={one} />
          ))}
        </ol>
      )}
    </Card>
  );
}

export function FeedLine(props: { event: Event }) {
  const { event } = props;
  const say = useEventWords();
  const tone = toneOf('level', event.level ?? 'info');
  return (
    <li className={`feed-line ${tone}`}>
      <span className="dot" aria-hidden="true" />
      <div className="grow">
        <div>{say(event)}</div>
        <div className="meta row wrap">
          <Time at={event.at} />
          {event.plugin_id && (
            <span>
              {event.plugin_id}
              {event.version ? ` ${event.version}` : ''}
            </span>
          )}
          {event.account_id && <span>{event.account_id}</span>}
          {event.message_id && (
            <Link to="/trace/$messageId" params={{ messageId: event.message_id }}>
              <TraceWord />
            </Link>
          )}
        </div>
      </div>
    </li>
  );
}

function TraceWord() {
  const { t } = useTranslation();
  return <>{t('trace.open')}</>;
}

/** Return how an event is said: our words for its name, and the detail it carries. */
export function useEventWords(): (event: Event) => string {
  const { t } = useTranslation();
  return (event) => {
    const fields = (event.fields ?? {}) as Record<string, unknown>;
    const plain = event.name.replaceAll('_', ' ');
    const said = t(`event.${event.name}`, { defaultValue: plain });
    const detail = [fields.detail, fields.exit, fields.error, fields.reason, fields.action].find(
      (one) => typeof one === 'string' && one !== '',
    );
    return detail && event.level !== 'info' ? `${said}: ${String(detail)}` : said;
  };
}
