// Sessions: conversations at the left, what was said at the right, with what became of each reply.
import { useQuery } from '@tanstack/react-query';
import { useCallback, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import { useChannelName } from '../../api/lists';
import type { Session } from '../../api/schema';
import { useAddress } from '../../app/address';
import { Time } from '../../components/Facts';
import { NothingHere, SearchFilter } from '../../components/Filters';
import { Page } from '../../components/Page';
import { usePaged } from '../../components/paged';
import { Empty, Failed, Skeleton } from '../../components/States';
import { AccountFilters } from '../accounts/AccountFilters';
import { shortId } from '../../i18n/format';
import { Talk, type TalkFacts } from './Talk';
import './sessions.css';

const FILTERS = ['who', 'channel', 'account'];

export function SessionsPage() {
  const { t } = useTranslation();
  const [search, change] = useAddress();
  const channelName = useChannelName();
  const id = useCallback((one: Session) => one.session_id, []);
  const query = {
    ...(search.channel ? { channel: search.channel } : {}),
    ...(search.account ? { account_id: search.account } : {}),
    ...(search.who ? { text: search.who } : {}),
  };
  const list = usePaged<Session>({
    key: ['sessions', query],
    fetch: (cursor, signal) =>
      take(
        api.GET('/wunder/admin/channels/sessions', {
          params: { query: { ...query, limit: 50, ...(cursor ? { cursor } : {}) } },
          signal,
        }),
      ),
    id,
    follows: (event) => event.type === 'figures',
  });
  const current = search.session ?? '';
  // What was begun in one conversation waits while another one is open.
  const drafts = useRef(new Map<string, string>()).current;
  const open = (one: Session) => change({ session: one.session_id });
  return (
    <Page title={t('nav.sessions')} bare>
      <div className={current ? 'talks has-open' : 'talks'}>
        <section className="talk-list" aria-label={t('nav.sessions')}>
          <div className="filters">
            <SearchFilter name="who" placeholder={t('session.search')} />
            <AccountFilters />
          </div>
          {list.fresh > 0 && (
            <button type="button" className="news" onClick={list.showFresh}>
              {t('list.fresh', { count: list.fresh })}
            </button>
          )}
          {list.isLoading ? (
            <Skeleton lines={8} />
          ) : list.error && !list.rows.length ? (
            <Failed error={list.error} retry={list.reload} />
          ) : list.rows.length === 0 ? (
            <NothingHere names={FILTERS} icon="session" text={t('session.none')} hint={t('session.noneHint')} />
          ) : (
            <ul>
              {list.rows.map((one) => (
                <li key={one.session_id}>
                  <button type="button" className={one.session_id === current ? 'on' : undefined} aria-current={one.session_id === current ? 'true' : undefined} onClick={() => open(one)}>
                    <span className="row">
                      <strong className="grow truncate">{nameOf(one)}</strong>
                      <span className="meta">
                        <Time at={one.last_message_at} />
                      </span>
                    </span>
                    <span className="row meta">
                      <span className="grow truncate">
                        {channelName(one.channel)} · {one.account_id} · {t(`peer.${one.conversation.peer_kind}`, { defaultValue: one.conversation.peer_kind })}
                      </span>
                      <span className="badge" title={t('session.messages')}>
                        {one.message_count}
                      </span>
                    </span>
                  </button>
                </li>
              ))}
              {list.hasMore && (
                <li>
                  <button type="button" className="text-button" onClick={list.loadMore}>
                    {t('list.more')}
                  </button>
                </li>
              )}
            </ul>
          )}
        </section>
        <section className="talk" aria-label={t('session.talk')}>
          {current ? (
            <Loaded key={current} sessionId={current} drafts={drafts} known={list.rows.find((one) => one.session_id === current)} back={() => change({ session: '' })} />
          ) : (
            <Empty icon="session" text={t('session.choose')} />
          )}
        </section>
      </div>
    </Page>
  );
}

export function nameOf(session: Session): string {
  return session.peer_name || shortId(session.conversation.peer_id);
}

/** A session that a link names may lie beyond the pages that were read. */
function Loaded(props: { sessionId: string; known: Session | undefined; drafts: Map<string, string>; back: () => void }) {
  const { t } = useTranslation();
  const first = useQuery({
    queryKey: ['chat', props.sessionId, 'any'],
    queryFn: () => take(api.GET('/wunder/admin/channels/messages', { params: { query: { session_id: props.sessionId, limit: 1 } } })),
    enabled: !props.known,
  });
  const { known } = props;
  const message = first.data?.items[0];
  // What the filters hide from the list stays open, with what is being written to it.
  const last = useRef<TalkFacts>(undefined);
  const facts: TalkFacts | undefined = known
    ? { name: nameOf(known), channel: known.channel, accountId: known.account_id, agentId: known.agent_id, peerKind: known.conversation.peer_kind, peerId: known.conversation.peer_id }
    : (last.current ??
      (message && { name: message.peer_name || shortId(message.peer_id), channel: message.channel, accountId: message.account_id, agentId: '', peerKind: message.peer_kind, peerId: message.peer_id }));
  if (facts) last.current = facts;
  if (first.isSuccess && !facts) return <Empty icon="search" text={t('session.gone')} />;
  if (!facts) return first.isPending ? <Skeleton lines={6} /> : <Failed error={first.error} retry={() => void first.refetch()} />;
  return <Talk sessionId={props.sessionId} facts={facts} back={props.back} drafts={props.drafts} />;
}
