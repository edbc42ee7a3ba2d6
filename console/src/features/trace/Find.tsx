// Finding a message: by words, people, account, state and time; each leads to its trace.
import { useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import { useAccounts, useChannelChoices, useChannelName } from '../../api/lists';
import type { StoredMessage } from '../../api/schema';
import { useAddress } from '../../app/address';
import { useColumns } from '../../components/columns';
import { PagedTable, type Column } from '../../components/DataTable';
import { Id, Time } from '../../components/Facts';
import { ChipFilter, ChoiceFilter, Filters, NothingHere, SearchFilter, sinceOf, TimeFilter } from '../../components/Filters';
import { Card, Page } from '../../components/Page';
import { usePaged } from '../../components/paged';
import { Status, Tag } from '../../components/Status';

const FILTERS = ['text', 'direction', 'state', 'channel', 'account', 'peer', 'time'];
const MESSAGE_STATES = ['received', 'answering', 'answered', 'no_answer', 'unrouted', 'refused', 'failed'];

export function FindPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [search] = useAddress();
  const channels = useChannelChoices();
  const channelName = useChannelName();
  const accounts = useAccounts();
  const since = sinceOf(search.time);
  const query = {
    ...(search.text ? { text: search.text } : {}),
    ...(search.direction ? { direction: search.direction as 'in' | 'out' } : {}),
    ...(search.state ? { state: search.state as StoredMessage['state'] as never } : {}),
    ...(search.channel ? { channel: search.channel } : {}),
    ...(search.account ? { account_id: search.account } : {}),
    ...(search.peer ? { peer_id: search.peer } : {}),
    ...(since ? { since } : {}),
  };
  const id = useCallback((one: StoredMessage) => one.message_id, []);
  const list = usePaged<StoredMessage>({
    key: ['messages', query],
    fetch: (cursor, signal) =>
      take(api.GET('/wunder/admin/channels/messages', { params: { query: { ...query, limit: 50, ...(cursor ? { cursor } : {}) } }, signal })),
    id,
    follows: (event) => event.type === 'figures',
  });
  const all: Column<StoredMessage>[] = [
    { key: 'at', title: t('message.at'), cell: (one) => <Time at={one.created_at} /> },
    { key: 'direction', title: t('message.direction'), optional: 'shown', cell: (one) => <Tag>{one.direction === 'in' ? `→ ${t('message.in')}` : `← ${t('message.out')}`}</Tag> },
    {
      key: 'who',
      title: t('message.who'),
      optional: 'shown',
      cell: (one) => <span className="truncate" style={{ display: 'block', maxWidth: 160 }}>{one.sender_name || one.peer_name || <Id value={one.peer_id} />}</span>,
    },
    {
      key: 'text',
      title: t('message.text'),
      cell: (one) => (
        <span className="truncate" style={{ display: 'block', maxWidth: 420 }}>
          {one.text || <span className="muted">[{one.attachments[0] ? t(`attachment.${one.attachments[0].kind}`) : one.type}]</span>}
        </span>
      ),
    },
    {
      key: 'account',
      title: t('account.name'),
      optional: 'shown',
      cell: (one) => (
        <span className="row nowrap">
          {one.account_id} <span className="muted">{channelName(one.channel)}</span>
        </span>
      ),
    },
    { key: 'state', title: t('message.state'), optional: 'shown', cell: (one) => (one.state ? <Status kind="message" state={one.state} detail={one.reason} /> : <span className="muted">–</span>) },
    { key: 'id', title: 'ID', optional: 'shown', cell: (one) => <Id value={one.message_id} /> },
    { key: 'peer', title: t('message.peer'), optional: 'hidden', cell: (one) => <Id value={one.peer_id} label={t('message.peer')} /> },
    {
      key: 'platform',
      title: t('outbox.platformId'),
      optional: 'hidden',
      cell: (one) => (one.platform_message_id ? <Id value={one.platform_message_id} label={t('outbox.platformId')} /> : <span className="muted">–</span>),
    },
  ];
  const [columns, chooser] = useColumns('messages', all);
  return (
    <Page title={t('nav.trace')}>
      <Card flush>
        <Filters names={FILTERS} end={chooser}>
          <SearchFilter name="text" placeholder={t('message.search')} />
          <ChipFilter
            name="direction"
            label={t('message.direction')}
            options={[
              { value: 'in', label: t('message.in') },
              { value: 'out', label: t('message.out') },
            ]}
          />
          <ChoiceFilter name="state" label={t('message.state')} options={MESSAGE_STATES.map((one) => ({ value: one, label: t(`state.message.${one}`) }))} />
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
          label={t('nav.trace')}
          list={list}
          columns={columns}
          id={id}
          open={(one) => void navigate({ to: '/trace/$messageId', params: { messageId: one.in_reply_to ?? one.message_id } })}
          empty={<NothingHere names={FILTERS} icon="trace" text={t('message.none')} hint={t('message.noneHint')} />}
        />
      </Card>
    </Page>
  );
}
