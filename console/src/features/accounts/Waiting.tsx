// What is left to do until people can talk: save, give the platform its address, write the first message.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import type { AccountView } from '../../api/schema';
import { Time } from '../../components/Facts';
import { UrlToCopy } from '../../forms/widgets';
import { wholeUrl } from './calls';
import { ChatLink } from './ChatLink';

const LOOK_MS = 2_000;

/** One step of a list: done, now, or still to come. */
export function Todo(props: { state: 'done' | 'now' | 'later'; index: number; title: ReactNode; children?: ReactNode }) {
  return (
    <li className={props.state} aria-current={props.state === 'now' ? 'step' : undefined}>
      <span className="dot" aria-hidden="true">
        {props.state === 'done' ? '✓' : props.index}
      </span>
      <div className="stack tight">
        <span style={{ fontWeight: props.state === 'now' ? 600 : 400 }}>{props.title}</span>
        {props.children}
      </div>
    </li>
  );
}

export function WaitingForFirst(props: { account: AccountView; hasWebhook: boolean; hasBinding: boolean; bind: ReactNode }) {
  const { t } = useTranslation();
  const { account } = props;
  const first = useQuery({
    queryKey: ['first-message', account.account_uid],
    queryFn: () =>
      take(
        api.GET('/wunder/admin/channels/messages', {
          params: { query: { channel: account.channel, account_id: account.account_id, direction: 'in', limit: 1 } },
        }),
      ),
    // Once one has come there is nothing to wait for.
    refetchInterval: (query) => (query.state.data?.items.length ? false : LOOK_MS),
  });
  const message = first.data?.items[0];
  const isOn = account.status === 'enabled';
  const hasAddress = props.hasWebhook || !!account.chat_url;
  return (
    <ol className="todo">
      <Todo index={1} state={isOn ? 'done' : 'now'} title={isOn ? t('todo.enabled') : t('todo.enable')} />
      {account.chat_url && (
        <Todo index={2} state={message ? 'done' : 'now'} title={t('todo.chat')}>
          <ChatLink url={account.chat_url} />
        </Todo>
      )}
      {props.hasWebhook && (
        <Todo index={2} state={message ? 'done' : isOn ? 'now' : 'later'} title={t('todo.webhook')}>
          <UrlToCopy url={wholeUrl(account.webhook_url)} label={t('todo.webhookUrl')} />
          {location.hostname === '127.0.0.1' || location.hostname === 'localhost' ? <p className="meta">{t('todo.localOnly')}</p> : null}
        </Todo>
      )}
      <Todo index={hasAddress ? 3 : 2} state={props.hasBinding ? 'done' : 'now'} title={props.hasBinding ? t('todo.bound') : t('todo.bind')}>
        {!props.hasBinding && props.bind}
      </Todo>
      <Todo index={hasAddress ? 4 : 3} state={message ? 'done' : 'now'} title={message ? t('todo.arrived') : t('todo.waiting')}>
        <div aria-live="polite">
          {message ? (
            <span className="row wrap">
              <Time at={message.created_at} />
              <Link to="/trace/$messageId" params={{ messageId: message.message_id }}>
                {t('trace.open')}
              </Link>
              {message.session_id && (
                <Link to="/sessions" search={{ session: message.session_id } as never}>
                  {t('session.open')}
                </Link>
              )}
            </span>
          ) : (
            <span className="meta">{t('todo.waitingHint')}</span>
          )}
        </div>
      </Todo>
    </ol>
  );
}
