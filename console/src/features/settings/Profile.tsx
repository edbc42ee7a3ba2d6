// One's own account of the console: password, and where one is signed in.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api, take } from '../../api/client';
import type { SessionView } from '../../api/schema';
import { act } from '../../app/confirmed';
import { say } from '../../app/notices';
import { useSession } from '../../app/session';
import { DataTable, type Column } from '../../components/DataTable';
import { Pairs, Time } from '../../components/Facts';
import { Field } from '../../components/Field';
import { Card, Page } from '../../components/Page';
import { Failed, Skeleton } from '../../components/States';
import { Tag } from '../../components/Status';
import { useFaultWords } from '../../forms/words';

export function ProfilePage() {
  const { t } = useTranslation();
  const { user } = useSession();
  return (
    <Page title={t('nav.profile')}>
      <div className="halves">
        <Card title={user.display_name || user.name}>
          <Pairs
            of={[
              [t('signIn.name'), <code key="name">{user.name}</code>],
              [t('user.role'), t(`role.${user.role}`)],
              ['', <span key="text" className="meta">{t(`roleText.${user.role}`)}</span>],
            ]}
          />
        </Card>
        {user.has_password && <PasswordCard />}
      </div>
      <Sessions />
    </Page>
  );
}

function PasswordCard() {
  const { t } = useTranslation();
  const words = useFaultWords();
  const [old, setOld] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({
    mutationFn: () => take(api.PUT('/wunder/session/password', { body: { old, new: next } })),
    onSuccess: (done) => {
      say(t('profile.changed', { count: done.ended }));
      setOld('');
      setNext('');
    },
  });
  const faults = change.error instanceof ApiError ? change.error.faults : [];
  const faultAt = (field: string) => {
    const found = faults.find((one) => one.pointer === `/${field}`);
    return found && words(found.code, undefined, found.message);
  };
  return (
    <Card title={t('profile.password')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <Field label={t('profile.old')} fault={faultAt('old')}>
          <Input type="password" autoComplete="current-password" value={old} onChange={(event) => setOld(event.target.value)} />
        </Field>
        <Field label={t('profile.new')} fault={faultAt('new') ?? faultAt('password')} hint={t('profile.newHint')}>
          <Input type="password" autoComplete="new-password" value={next} onChange={(event) => setNext(event.target.value)} />
        </Field>
        {change.error && faults.length === 0 && <Failed error={change.error} compact />}
        <div>
          <Button htmlType="submit" loading={change.isPending} disabled={!old || !next}>
            {t('profile.change')}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function Sessions() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const sessions = useQuery({ queryKey: ['own-sessions'], queryFn: () => take(api.GET('/wunder/session/others')) });
  const end = useMutation({
    mutationFn: () => act(() => api.DELETE('/wunder/session/others')),
    onSuccess: (done) => {
      say(t('user.ended', { count: done.ended }));
      void client.invalidateQueries({ queryKey: ['own-sessions'] });
    },
  });
  const columns: Column<SessionView>[] = [
    {
      key: 'agent',
      title: t('profile.browser'),
      cell: (one) => (
        <span className="row">
          <span className="truncate" style={{ maxWidth: 360 }} title={one.user_agent}>
            {browserOf(one.user_agent)}
          </span>
          {one.is_this && <Tag tone="ok">{t('profile.this')}</Tag>}
        </span>
      ),
    },
    { key: 'from', title: t('audit.from'), cell: (one) => <code>{one.remote_addr}</code> },
    { key: 'seen', title: t('profile.seen'), cell: (one) => <Time at={one.seen_at} /> },
    { key: 'created', title: t('profile.since'), cell: (one) => <Time at={one.created_at} /> },
    { key: 'expires', title: t('token.expires'), cell: (one) => <Time at={one.expires_at} /> },
  ];
  return (
    <Card
      title={t('profile.sessions')}
      flush
      actions={
        <Button size="small" disabled={(sessions.data?.items.length ?? 0) < 2} loading={end.isPending} onClick={() => end.mutate()}>
          {t('profile.endOthers')}
        </Button>
      }
    >
      {sessions.isPending ? (
        <Skeleton lines={2} />
      ) : !sessions.data ? (
        <Failed error={sessions.error} retry={() => void sessions.refetch()} />
      ) : (
        <DataTable label={t('profile.sessions')} rows={sessions.data.items} columns={columns} id={(one) => one.session_id} />
      )}
    </Card>
  );
}

/** The browser and system out of a User-Agent: enough to recognise one's own. */
export function browserOf(userAgent: string): string {
  const browser = /(Edg|OPR|Firefox|Chrome|Safari|curl)[A-Za-z]*\/(\d+)/.exec(userAgent);
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera' };
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(userAgent)?.[1] ?? '';
  if (!browser?.[1]) return userAgent.slice(0, 60) || '–';
  return [`${names[browser[1]] ?? browser[1]} ${browser[2]}`, system.replace('Mac OS X', 'macOS')].filter(Boolean).join(' · ');
}
