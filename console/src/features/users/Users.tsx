// Users: who may sign in, as what; made, changed, locked out, signed out everywhere.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Input, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api, take } from '../../api/client';
import type { UserView } from '../../api/schema';
import { act } from '../../app/confirmed';
import { complain, say } from '../../app/notices';
import { useMay, useSession, type Role } from '../../app/session';
import { Confirm } from '../../components/Confirm';
import { DataTable, type Column } from '../../components/DataTable';
import { Dialog } from '../../components/Dialog';
import { Time } from '../../components/Facts';
import { Field } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { Menu } from '../../components/Menu';
import { BarePage, Card, Page } from '../../components/Page';
import { Failed, Forbidden, Skeleton } from '../../components/States';
import { Status, Tag } from '../../components/Status';
import { useFaultWords } from '../../forms/words';

const ROLES: Role[] = ['viewer', 'operator', 'admin', 'user'];
type Asking = { kind: 'new' } | { kind: 'edit' | 'password' | 'lock' | 'sessions' | 'remove'; user: UserView };

export function UsersPage() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const mayRead = useMay('admin');
  const me = useSession().user;
  const [asking, setAsking] = useState<Asking | null>(null);
  const users = useQuery({ queryKey: ['users'], queryFn: () => take(api.GET('/wunder/admin/users')), enabled: mayRead });
  if (!mayRead) return <BarePage title={t('nav.users')}><Forbidden role="admin" /></BarePage>;
  const refresh = () => void client.invalidateQueries({ queryKey: ['users'] });
  const change = async (user: UserView, body: { is_disabled?: boolean }) => {
    try {
      await patchUser(user, body);
      refresh();
    } catch (error) {
      complain(error);
    }
  };
  const columns: Column<UserView>[] = [
    {
      key: 'name',
      title: t('user.name'),
      cell: (one) => (
        <span className="row">
          <strong>{one.display_name || one.name}</strong>
          {one.display_name && <code className="muted">{one.name}</code>}
          {one.user_id === me.user_id && <Tag>{t('user.you')}</Tag>}
        </span>
      ),
    },
    { key: 'role', title: t('user.role'), cell: (one) => t(`role.${one.role}`) },
    { key: 'state', title: t('account.status'), cell: (one) => <Status kind="user" state={one.is_disabled ? 'disabled' : 'active'} /> },
    { key: 'how', title: t('user.signsIn'), cell: (one) => [one.has_password && t('user.byPassword'), one.is_external && 'OIDC'].filter(Boolean).join(' · ') || <span className="muted">{t('user.noWay')}</span> },
    { key: 'created', title: t('account.created'), cell: (one) => <Time at={one.created_at} /> },
    {
      key: 'more',
      title: <span className="visually-hidden">{t('do.actions')}</span>,
      width: 44,
      cell: (one) => (
        <Menu
          label={t('do.actionsOf', { what: one.name })}
          items={[
            { key: 'edit', label: t('do.edit'), run: () => setAsking({ kind: 'edit', user: one }) },
            { key: 'password', label: t('user.setPassword'), run: () => setAsking({ kind: 'password', user: one }) },
            { key: 'sessions', label: t('user.signOut'), run: () => setAsking({ kind: 'sessions', user: one }) },
            'line',
            one.is_disabled
              ? { key: 'unlock', label: t('do.enable'), run: () => void change(one, { is_disabled: false }) }
              : { key: 'lock', label: t('do.disable'), danger: true, run: () => setAsking({ kind: 'lock', user: one }) },
            { key: 'remove', label: t('do.remove'), danger: true, run: () => setAsking({ kind: 'remove', user: one }) },
          ]}
        >
          <Icon name="more" />
        </Menu>
      ),
    },
  ];
  return (
    <Page
      title={t('nav.users')}
      actions={
        <Button type="primary" icon={<Icon name="plus" size={14} />} onClick={() => setAsking({ kind: 'new' })}>
          {t('user.add')}
        </Button>
      }
    >
      <Card flush>
        {users.isPending ? (
          <Skeleton lines={4} />
        ) : !users.data ? (
          <Failed error={users.error} retry={() => void users.refetch()} />
        ) : (
          <DataTable label={t('nav.users')} rows={users.data.items} columns={columns} id={(one) => one.user_id} open={(one) => setAsking({ kind: 'edit', user: one })} />
        )}
      </Card>
      {(asking?.kind === 'new' || asking?.kind === 'edit') && (
        <UserDialog user={asking.kind === 'edit' ? asking.user : undefined} close={() => setAsking(null)} saved={refresh} />
      )}
      {asking?.kind === 'password' && <PasswordDialog user={asking.user} close={() => setAsking(null)} />}
      {asking?.kind === 'lock' && (
        <Confirm
          title={t('user.lockTitle', { name: asking.user.name })}
          action={t('do.disable')}
          danger
          close={() => setAsking(null)}
          run={async () => {
            await patchUser(asking.user, { is_disabled: true });
            refresh();
          }}
        >
          <p>{t('user.lockText')}</p>
        </Confirm>
      )}
      {asking?.kind === 'sessions' && (
        <Confirm
          title={t('user.signOutTitle', { name: asking.user.name })}
          action={t('user.signOut')}
          close={() => setAsking(null)}
          run={async () => {
            const done = await act(() => api.DELETE('/wunder/admin/users/{user_id}/sessions', { params: { path: { user_id: asking.user.user_id } } }));
            say(t('user.ended', { count: done.ended }));
          }}
        >
          <p>{t('user.signOutText')}</p>
        </Confirm>
      )}
      {asking?.kind === 'remove' && (
        <Confirm
          title={t('user.removeTitle', { name: asking.user.name })}
          typed={asking.user.name}
          action={t('do.remove')}
          danger
          close={() => setAsking(null)}
          run={async () => {
            await act(() => api.DELETE('/wunder/admin/users/{user_id}', { params: { path: { user_id: asking.user.user_id } } }));
            refresh();
          }}
        >
          <p>{t('user.removeText')}</p>
        </Confirm>
      )}
    </Page>
  );
}

function patchUser(user: UserView, body: { display_name?: string; role?: Role; is_disabled?: boolean }) {
  return act(() =>
    api.PATCH('/wunder/admin/users/{user_id}', {
      params: { path: { user_id: user.user_id }, header: { 'If-Match': String(user.rev) } },
      body,
    }),
  );
}

function UserDialog(props: { user: UserView | undefined; close: () => void; saved: () => void }) {
  const { t } = useTranslation();
  const words = useFaultWords();
  const { user } = props;
  const [name, setName] = useState(user?.name ?? '');
  const [displayName, setDisplayName] = useState(user?.display_name ?? '');
  const [role, setRole] = useState<Role>((user?.role as Role) ?? 'user');
  const [password, setPassword] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const faults = error instanceof ApiError ? error.faults : [];
  const faultAt = (field: string) => {
    const found = faults.find((one) => one.pointer === `/${field}`);
    return found && words(found.code, undefined, found.message);
  };
  const save = async () => {
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      if (user) await patchUser(user, { display_name: displayName, role });
      else {
        await act(() =>
          api.POST('/wunder/admin/users', { body: { name, role, display_name: displayName, ...(password ? { password } : {}) } }),
        );
      }
      say(t('user.saved'));
      props.saved();
      props.close();
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      title={user ? t('user.edit', { name: user.name }) : t('user.add')}
      onCancel={props.close}
      width={440}
      footer={
        <div className="row end">
          <Button onClick={props.close}>{t('do.cancel')}</Button>
          <Button type="primary" loading={busy} disabled={!name} onClick={() => void save()}>
            {t('do.save')}
          </Button>
        </div>
      }
    >
      <form
        className="stack wide"
        autoComplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {!user && (
          <Field label={t('signIn.name')} hint={t('user.nameRule')} fault={faultAt('name')} required>
            <Input value={name} autoComplete="off" autoCapitalize="none" spellCheck={false} onChange={(event) => setName(event.target.value)} />
          </Field>
        )}
        <Field label={t('account.displayName')} fault={faultAt('display_name')}>
          <Input value={displayName} onChange={(event) => setDisplayName(event.target.value)} />
        </Field>
        <Field label={t('user.role')} hint={t(`roleText.${role}`)} fault={faultAt('role')}>
          <Select value={role} options={ROLES.map((one) => ({ value: one, label: t(`role.${one}`) }))} onChange={(chosen: Role) => setRole(chosen)} />
        </Field>
        {!user && (
          <Field label={t('signIn.password')} hint={t('user.passwordHint')} fault={faultAt('password')}>
            <Input type="password" autoComplete="new-password" value={password} onChange={(event) => setPassword(event.target.value)} />
          </Field>
        )}
        {error !== null && faults.length === 0 && <Failed error={error} compact />}
        <button type="submit" hidden />
      </form>
    </Dialog>
  );
}

function PasswordDialog(props: { user: UserView; close: () => void }) {
  const { t } = useTranslation();
  const words = useFaultWords();
  const [password, setPassword] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const fault = error instanceof ApiError ? error.faults[0] : undefined;
  const save = async () => {
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const done = await act(() =>
        api.PUT('/wunder/admin/users/{user_id}/password', { params: { path: { user_id: props.user.user_id } }, body: { password } }),
      );
      say(t('user.passwordSet', { count: done.ended }));
      props.close();
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      title={t('user.passwordTitle', { name: props.user.name })}
      onCancel={props.close}
      width={400}
      footer={
        <div className="row end">
          <Button onClick={props.close}>{t('do.cancel')}</Button>
          <Button type="primary" loading={busy} disabled={!password} onClick={() => void save()}>
            {t('do.save')}
          </Button>
        </div>
      }
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Field label={t('user.newPassword')} hint={t('user.passwordEnds')} fault={fault && words(fault.code, undefined, fault.message)}>
          <Input type="password" autoFocus autoComplete="new-password" value={password} onChange={(event) => setPassword(event.target.value)} />
        </Field>
        {error !== null && !fault && <Failed error={error} compact />}
      </form>
    </Dialog>
  );
}
