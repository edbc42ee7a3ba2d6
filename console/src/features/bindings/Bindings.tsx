// Bindings: which conversations go to which agent, in the order in which they are asked.
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Button, Switch } from 'antd';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client';
import { useBindings, useChannelName, useTallies } from '../../api/lists';
import type { Binding } from '../../api/schema';
import { useAddress } from '../../app/address';
import { act } from '../../app/confirmed';
import { complain, say } from '../../app/notices';
import { useMay } from '../../app/session';
import { Confirm } from '../../components/Confirm';
import type { Column } from '../../components/DataTable';
import { Id, Time } from '../../components/Facts';
import { Icon } from '../../components/Icon';
import { Menu } from '../../components/Menu';
import { Card, Page } from '../../components/Page';
import { Empty, Failed, Skeleton } from '../../components/States';
import { Tag } from '../../components/Status';
import { count } from '../../i18n/format';
import { BindingDialog } from './BindingDialog';
import { BindingTable } from './BindingTable';
import { exactness, inOrder, moved, shadowOf } from './order';
import { TestRoute } from './TestRoute';

export function BindingsPage() {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const [search, change] = useAddress();
  const mayWrite = useMay('admin');
  const channelName = useChannelName();
  const bindings = useBindings();
  const [editing, setEditing] = useState<Binding | null>(null);
  const [removing, setRemoving] = useState<Binding | null>(null);
  const [matched, setMatched] = useState('');
  const moves = useRef(Promise.resolve());
  const tallies = useTallies();
  const rows = inOrder(bindings.data?.items ?? []);
  const refresh = () => void client.invalidateQueries({ queryKey: ['bindings'] });
  const keep = (change: (one: Binding) => Binding) =>
    client.setQueryData<{ items: Binding[] }>(['bindings'], (old) => old && { ...old, items: old.items.map(change) });
  const put = async (one: Binding, changes: Partial<Binding>) => {
    // What is here now: a move just before may have given it another revision.
    const now = client.getQueryData<{ items: Binding[] }>(['bindings'])?.items.find((each) => each.binding_id === one.binding_id);
    const { binding_id, rev, created_at: _created, ...body } = { ...one, ...changes, rev: now?.rev ?? one.rev };
    const written = await act(() =>
      api.PUT('/wunder/admin/channels/bindings/{binding_id}', {
        params: { path: { binding_id }, header: { 'If-Match': String(rev ?? 1) } },
        body,
      }),
    );
    keep((each) => (each.binding_id === binding_id ? written : each));
  };
  const write = async (one: Binding, changes: Partial<Binding>) => {
    try {
      await put(one, changes);
    } catch (error) {
      complain(error);
    }
    refresh();
  };
  const move = (equals: Binding[], from: number, to: number) => {
    const changes = moved(equals, from, to);
    if (!changes.length) return;
    const priorities = new Map(changes.map((one) => [one.binding.binding_id, one.priority]));
    // Shown at once: the row stays where it was let go. Written one move after the other.
    keep((one) => ({ ...one, priority: priorities.get(one.binding_id) ?? one.priority }));
    moves.current = moves.current.then(async () => {
      try {
        for (const one of changes) await put(one.binding, { priority: one.priority });
        say(t('binding.moved'));
      } catch (error) {
        complain(error);
      }
      refresh();
    });
  };
  const step = (one: Binding, by: number) => {
    const equals = rows.filter((each) => exactness(each) === exactness(one));
    const at = equals.indexOf(one);
    return { isPossible: at + by >= 0 && at + by < equals.length, run: () => move(equals, at, at + by) };
  };
  const columns: Column<Binding>[] = [
    { key: 'priority', title: t('binding.priority'), num: true, width: 72, cell: (one) => one.priority ?? 0 },
    {
      key: 'match',
      title: t('binding.match'),
      cell: (one) => {
        const shadow = shadowOf(one, rows);
        return (
          <span className="row wrap">
            <Tag>{one.channel === '*' ? t('binding.anyChannel') : channelName(one.channel)}</Tag>
            <Tag>{one.account_id === '*' ? t('binding.anyAccount') : one.account_id}</Tag>
            <Tag>{one.peer_kind === '*' ? t('binding.anyKind') : t(`peer.${one.peer_kind}`)}</Tag>
            {one.peer_id === '*' ? <Tag>{t('binding.anyPeer')}</Tag> : <Id value={one.peer_id} />}
            {shadow && (
              <Tag tone="warn" title={t('binding.shadowedBy', { agent: shadow.agent_id, priority: shadow.priority ?? 0 })}>
                ▲ {t('binding.shadowed')}
              </Tag>
            )}
          </span>
        );
      },
    },
    {
      key: 'agent',
      title: t('binding.agent'),
      cell: (one) => (
        <Link to="/agents/$agentId" params={{ agentId: one.agent_id }}>
          {one.agent_id}
        </Link>
      ),
    },
    ...(rows.some((one) => one.owner_user_id)
      ? [{ key: 'owner', title: t('account.owner'), cell: (one: Binding) => (one.owner_user_id ? <Tag>{t('account.ofUser')}</Tag> : <span className="muted">{t('account.ofAdmins')}</span>) }]
      : []),
    { key: 'hits', title: t('binding.hits24h'), num: true, cell: (one) => count(tallies.data?.get(one.binding_id)?.received ?? 0, i18n.language) },
    { key: 'last', title: t('binding.lastHit'), cell: (one) => <Time at={tallies.data?.get(one.binding_id)?.last_at} /> },
    {
      key: 'enabled',
      title: t('binding.enabled'),
      cell: (one) => (
        <Switch
          size="small"
          checked={one.is_enabled !== false}
          disabled={!mayWrite}
          aria-label={t('binding.switch', { agent: one.agent_id })}
          onChange={(isOn) => void write(one, { is_enabled: isOn })}
        />
      ),
    },
    ...(mayWrite
      ? [
          {
            key: 'more',
            title: <span className="visually-hidden">{t('do.actions')}</span>,
            width: 44,
            cell: (one: Binding) => (
              <Menu
                label={t('do.actionsOf', { what: one.agent_id })}
                items={[
                  { key: 'edit', label: t('do.edit'), run: () => setEditing(one) },
                  { key: 'up', label: t('binding.earlier'), blocked: step(one, -1).isPossible ? undefined : t('binding.dragAlone'), run: step(one, -1).run },
                  { key: 'down', label: t('binding.later'), blocked: step(one, 1).isPossible ? undefined : t('binding.dragAlone'), run: step(one, 1).run },
                  'line',
                  { key: 'remove', label: t('do.remove'), danger: true, run: () => setRemoving(one) },
                ]}
              >
                <Icon name="more" />
              </Menu>
            ),
          },
        ]
      : []),
  ];
  const add = mayWrite && (
    <Button type="primary" icon={<Icon name="plus" size={14} />} onClick={() => change({ new: '1' })}>
      {t('binding.add')}
    </Button>
  );
  return (
    <Page title={t('nav.bindings')} actions={add}>
      <div className="columns">
        <Card flush>
          {bindings.isPending ? (
            <Skeleton lines={5} />
          ) : !bindings.data ? (
            <Failed error={bindings.error} retry={() => void bindings.refetch()} />
          ) : rows.length === 0 ? (
            <Empty icon="binding" text={t('binding.none')} hint={t('binding.noneHint')} action={add} />
          ) : (
            <>
              <BindingTable
                rows={rows}
                columns={columns}
                current={matched}
                open={mayWrite ? setEditing : undefined}
                move={mayWrite ? move : undefined}
              />
              {mayWrite && <p className="list-foot">{t('binding.orderHint')}</p>}
            </>
          )}
        </Card>
        <TestRoute bindings={rows} matched={setMatched} />
      </div>
      {(editing || search.new) && mayWrite && (
        <BindingDialog
          binding={editing}
          channel={search.channel}
          accountId={search.account}
          close={() => {
            setEditing(null);
            if (search.new) change({ new: '', channel: '', account: '' }, { replace: true });
          }}
          saved={refresh}
        />
      )}
      {removing && (
        <Confirm
          title={t('binding.removeTitle')}
          action={t('do.remove')}
          danger
          close={() => setRemoving(null)}
          run={async () => {
            await act(() => api.DELETE('/wunder/admin/channels/bindings/{binding_id}', { params: { path: { binding_id: removing.binding_id } } }));
            say(t('binding.removed'));
            refresh();
          }}
        >
          <p>{t('binding.removeText')}</p>
        </Confirm>
      )}
    </Page>
  );
}
