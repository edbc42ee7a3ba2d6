// What was said in one session: bubbles by day, each reply with its delivery mark and a way to its trace.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Button, Input } from 'antd';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import { useChannelName } from '../../api/lists';
import type { StoredDelivery, StoredMessage } from '../../api/schema';
import { act } from '../../app/confirmed';
import { complain } from '../../app/notices';
import { useMay } from '../../app/session';
import { Id } from '../../components/Facts';
import { Icon } from '../../components/Icon';
import { usePaged } from '../../components/paged';
import { Empty, Failed, Skeleton } from '../../components/States';
import { Status, toneOf } from '../../components/Status';
import { clock, moment, size } from '../../i18n/format';

export interface TalkFacts {
  name: string;
  channel: string;
  accountId: string;
  agentId: string;
  peerKind: string;
  peerId: string;
}

export function Talk(props: { sessionId: string; facts: TalkFacts; drafts: Map<string, string>; back: () => void }) {
  const { t } = useTranslation();
  const { facts, sessionId } = props;
  const channelName = useChannelName();
  const mayOperate = useMay('operator');
  const id = useCallback((one: StoredMessage) => one.message_id, []);
  const list = usePaged<StoredMessage>({
    key: ['chat', sessionId],
    fetch: (cursor, signal) =>
      take(
        api.GET('/wunder/admin/channels/messages', {
          params: { query: { session_id: sessionId, limit: 50, ...(cursor ? { cursor } : {}) } },
          signal,
        }),
      ),
    id,
    follows: (event) => event.type === 'figures' || event.type === 'delivery',
  });
  // What became of the replies: the account's latest deliveries to this peer, by message.
  const deliveries = useQuery({
    queryKey: ['delivery', 'of', facts.channel, facts.accountId, facts.peerId, list.rows.length],
    queryFn: () =>
      take(
        api.GET('/wunder/admin/channels/outbox', {
          params: { query: { channel: facts.channel, account_id: facts.accountId, peer_id: facts.peerId, limit: 100 } },
        }),
      ),
    placeholderData: (before) => before,
    // One call, for what is there: not one before it is known what is.
    enabled: !list.isLoading,
  });
  const marks = useMemo(() => new Map((deliveries.data?.items ?? []).map((one) => [one.message_id, one])), [deliveries.data]);
  const messages = useMemo(() => [...list.rows].sort((one, other) => one.created_at - other.created_at), [list.rows]);
  const place = useRef<HTMLDivElement>(null);
  const wasAtEnd = useRef(true);
  const newest = messages.at(-1)?.message_id;
  // A reader at the end stays there when a message comes; one who reads further up is left alone.
  useLayoutEffect(() => {
    if (newest && wasAtEnd.current && place.current) place.current.scrollTop = place.current.scrollHeight;
  }, [newest]);
  const { fresh, showFresh } = list;
  useEffect(() => {
    if (fresh > 0 && wasAtEnd.current) showFresh();
  }, [fresh, showFresh]);
  return (
    <>
      <header>
        <button type="button" className="icon-button talk-back" aria-label={t('do.back')} onClick={props.back}>
          <Icon name="left" />
        </button>
        <div className="grow" style={{ minWidth: 0 }}>
          <h2 className="truncate">{facts.name}</h2>
          <span className="meta">
            {channelName(facts.channel)} ·{' '}
            <Link to="/accounts/$channel/$accountId" params={{ channel: facts.channel, accountId: facts.accountId }}>
              {facts.accountId}
            </Link>
            {facts.agentId && (
              <>
                {' '}
                ·{' '}
                <Link to="/agents/$agentId" params={{ agentId: facts.agentId }}>
                  {facts.agentId}
                </Link>
              </>
            )}
          </span>
        </div>
        <Id value={facts.peerId} label={t('session.peerId')} />
      </header>
      <div
        ref={place}
        className="bubbles"
        tabIndex={0}
        role="log"
        aria-label={t('session.talk')}
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          wasAtEnd.current = scrollHeight - scrollTop - clientHeight < 60;
        }}
      >
        {list.isLoading ? (
          <Skeleton lines={8} />
        ) : list.error && !messages.length ? (
          <Failed error={list.error} retry={list.reload} />
        ) : messages.length === 0 ? (
          <Empty icon="session" text={t('session.empty')} />
        ) : (
          <>
            {list.hasMore && (
              <Button size="small" loading={list.isLoadingMore} onClick={list.loadMore} style={{ alignSelf: 'center' }}>
                {t('session.older')}
              </Button>
            )}
            {messages.map((one, index) => (
              <Bubble key={one.message_id} message={one} before={messages[index - 1]} delivery={marks.get(one.message_id)} />
            ))}
          </>
        )}
      </div>
      {fresh > 0 && (
        <button type="button" className="news" onClick={() => { wasAtEnd.current = true; showFresh(); }}>
          {t('list.fresh', { count: fresh })}
        </button>
      )}
      {mayOperate && <SayFirst facts={facts} draft={props.drafts.get(sessionId) ?? ''} keep={(text) => props.drafts.set(sessionId, text)} sent={list.reload} />}
    </>
  );
}

function Bubble(props: { message: StoredMessage; before?: StoredMessage; delivery?: StoredDelivery }) {
  const { t } = useTranslation();
  const { message, before, delivery } = props;
  const isOut = message.direction === 'out';
  const day = moment(message.created_at).slice(0, 10);
  const root = message.in_reply_to ?? message.message_id;
  return (
    <>
      {(!before || moment(before.created_at).slice(0, 10) !== day) && <div className="day">{day}</div>}
      <article className={isOut ? 'bubble out' : 'bubble'} aria-label={isOut ? t('session.reply') : t('session.said', { who: message.sender_name || t('session.person') })}>
        {!isOut && message.sender_name && <span className="meta">{message.sender_name}</span>}
        {message.text && <p dir="auto">{message.text}</p>}
        {message.attachments.map((one, index) => (
          <span key={index} className="attachment">
            <Icon name="file" size={14} />
            {one.url && one.kind === 'image' ? (
              <a href={one.url} target="_blank" rel="noopener noreferrer">
                <img src={one.url} alt={one.name || t('session.image')} loading="lazy" />
              </a>
            ) : one.url ? (
              <a href={one.url} target="_blank" rel="noopener noreferrer">
                {one.name || t(`attachment.${one.kind}`)}
              </a>
            ) : (
              <span>
                {one.name || t(`attachment.${one.kind}`)}
                {one.missing ? ` (${t('session.missing')})` : ''}
              </span>
            )}
            {one.size ? <span className="meta">{size(one.size)}</span> : null}
          </span>
        ))}
        {!message.text && message.attachments.length === 0 && <p className="muted">[{message.type}]</p>}
        <footer className="meta">
          <time dateTime={new Date(message.created_at).toISOString()} title={moment(message.created_at)}>
            {clock(message.created_at).slice(0, 5)}
          </time>
          {isOut && delivery && <Mark delivery={delivery} />}
          {!isOut && message.state && message.state !== 'answered' && <Status kind="message" state={message.state} detail={message.reason} />}
          <Link to="/trace/$messageId" params={{ messageId: root }}>
            {t('trace.open')}
          </Link>
        </footer>
      </article>
    </>
  );
}

/** ✓ arrived, ↻ on its way, ✕ not: and how the platform acknowledged it. */
function Mark(props: { delivery: StoredDelivery }) {
  const { t } = useTranslation();
  const { delivery } = props;
  const tone = toneOf('delivery', delivery.state);
  const seen = delivery.receipt === 'read' ? '✓✓' : '✓';
  const sign = { ok: seen, busy: '↻', err: '✕', warn: '?', off: '–' }[tone];
  const word = t(`state.delivery.${delivery.state}`);
  return (
    <Link className={`mark ${tone}`} to="/outbox" search={{ delivery: delivery.delivery_id } as never} title={delivery.error || word}>
      <span aria-hidden="true">{sign}</span> {delivery.receipt !== 'none' ? t(`state.receipt.${delivery.receipt}`) : word}
    </Link>
  );
}

/** Writing first: a message by hand, through the same lanes as every other. */
function SayFirst(props: { facts: TalkFacts; draft: string; keep: (text: string) => void; sent: () => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState(props.draft);
  const { keep } = props;
  useEffect(() => {
    keep(text);
  }, [keep, text]);
  const [busy, setBusy] = useState(false);
  // The same key for a repeat after a lost answer: it must not be sent twice.
  const key = useRef(newKey());
  const send = async () => {
    if (!text.trim() || busy) return;
    setBusy(true);
    try {
      await act(() =>
        api.POST('/wunder/admin/channels/messages', {
          params: { header: { 'Idempotency-Key': key.current } },
          body: {
            channel: props.facts.channel,
            account_id: props.facts.accountId,
            peer: { kind: props.facts.peerKind as 'user', id: props.facts.peerId },
            text,
          },
        }),
      );
      key.current = newKey();
      // What was typed meanwhile stays.
      setText((now) => (now === text ? '' : now));
      props.sent();
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="say-first"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Input.TextArea
        autoSize={{ minRows: 1, maxRows: 5 }}
        value={text}
        aria-label={t('session.write')}
        placeholder={t('session.write')}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            void send();
          }
        }}
      />
      <Button htmlType="submit" loading={busy} disabled={!text.trim()}>
        {t('session.send')}
      </Button>
    </form>
  );
}

/** A key of 128 random bits; `randomUUID` is missing where the page is not on a secure origin. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
