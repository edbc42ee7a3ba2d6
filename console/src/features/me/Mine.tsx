// My channels: what one has connected, and what one may connect.
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { localName } from '../../api/lists';
import type { AccountView } from '../../api/schema';
import { Time } from '../../components/Facts';
import { Card, Monogram, Page } from '../../components/Page';
import { Empty, Failed, Skeleton } from '../../components/States';
import { Status, Tag } from '../../components/Status';
import { count } from '../../i18n/format';
import { ChannelGallery } from '../accounts/ChannelGallery';
import { useOwnAccounts, useOwnBindings, useOwnProviders, useOwnTallies } from './lists';
import './me.css';

export function MinePage() {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const providers = useOwnProviders();
  const accounts = useOwnAccounts();
  const bindings = useOwnBindings();
  const tallies = useOwnTallies();
  const nameOf = (channel: string) => {
    const found = providers.data?.items.find((one) => one.channel === channel);
    return found ? localName(found.name, found.i18n, i18n.language) : channel;
  };
  const agentOf = (one: AccountView) =>
    bindings.data?.items.find((each) => each.channel === one.channel && each.account_id === one.account_id && each.is_enabled !== false)?.agent_id;
  const mine = accounts.data?.items ?? [];
  return (
    <Page title={t('nav.me')}>
      {accounts.isPending ? (
        <Card flush>
          <Skeleton lines={3} />
        </Card>
      ) : !accounts.data ? (
        <Card flush>
          <Failed error={accounts.error} retry={() => void accounts.refetch()} />
        </Card>
      ) : (
        mine.length > 0 && (
          <Card title={t('me.accounts')} flush>
            <ul className="mine">
              {mine.map((one) => (
                <li key={one.account_uid}>
                  <button
                    type="button"
                    onClick={() => void navigate({ to: '/me/accounts/$channel/$accountId', params: { channel: one.channel, accountId: one.account_id } })}
                  >
                    <Monogram name={nameOf(one.channel)} big />
                    <span className="grow stack" style={{ gap: 2 }}>
                      <strong>{one.display_name || nameOf(one.channel)}</strong>
                      <span className="meta">
                        {nameOf(one.channel)} · <code>{one.account_id}</code>
                      </span>
                    </span>
                    <span className="meta">{agentOf(one) ? t('me.answeredBy', { agent: agentOf(one) }) : <Tag tone="warn">{t('me.noAgent')}</Tag>}</span>
                    <span className="meta amounts">
                      {t('me.lately', {
                        received: count(tallies.data?.get(one.account_uid)?.received ?? 0, i18n.language),
                        sent: count(tallies.data?.get(one.account_uid)?.sent ?? 0, i18n.language),
                      })}
                      <br />
                      {tallies.data?.has(one.account_uid) ? (
                        <>
                          {t('account.lastMessage')} <Time at={tallies.data.get(one.account_uid)?.last_at} />
                        </>
                      ) : (
                        t('me.noMessages')
                      )}
                    </span>
                    <Status kind="account" state={one.status} />
                  </button>
                </li>
              ))}
            </ul>
          </Card>
        )
      )}
      <Card title={t('me.connect')}>
        {providers.isPending ? (
          <Skeleton lines={4} />
        ) : !providers.data ? (
          <Failed error={providers.error} retry={() => void providers.refetch()} />
        ) : (
          <ChannelGallery
            providers={providers.data.items}
            choose={(channel) => void navigate({ to: '/me/connect/$channel', params: { channel } })}
            empty={<Empty icon="plugin" text={t('me.none')} hint={t('me.noneHint')} />}
            mark={(channel) => {
              const count = mine.filter((one) => one.channel === channel).length;
              return count > 0 ? <Tag tone="ok">{t('me.connected', { count })}</Tag> : null;
            }}
          />
        )}
      </Card>
    </Page>
  );
}
