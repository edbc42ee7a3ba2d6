// The session ended while the page is open: sign in on the spot, and everything typed is still there.
import { useQueryClient } from '@tanstack/react-query';
import { Button, Input } from 'antd';
import { useEffect, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api, take } from '../api/client';
import type { SignedIn } from '../api/schema';
import { Dialog } from '../components/Dialog';
import { Field } from '../components/Field';
import { useProblemText } from '../components/States';
import { enter, fetchSession, leave, SESSION_KEY } from './session';

export function SignInAgain(props: { user: SignedIn['user'] }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const problem = useProblemText();
  const [password, setPassword] = useState('');
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const other = useOtherSite();
  useEffect(() => {
    // Somebody may sign in in another tab meanwhile: both share the session.
    const look = async () => {
      const session = await fetchSession().catch(() => null);
      if (session) client.setQueryData(SESSION_KEY, session);
    };
    window.addEventListener('focus', look);
    return () => window.removeEventListener('focus', look);
  }, [client]);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault('');
    try {
      const session = await take(api.POST('/wunder/session', { body: { name: props.user.name, password } }));
      client.setQueryData(SESSION_KEY, enter(session));
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      const wait = error instanceof ApiError ? (error.problem.retry_after_s ?? 30) : 0;
      setFault(status === 401 ? t('signIn.wrong') : status === 429 ? t('signIn.locked', { seconds: wait }) : problem(error));
      setPassword('');
      setBusy(false);
    }
  };
  const goElsewhere = () => {
    leave();
    // Anew, so that nothing of this person stays in the page.
    location.assign(`${import.meta.env.BASE_URL}sign-in`);
  };
  return (
    // Nobody who comes by reads what stands behind it.
    <Dialog open title={t('endedSession.title')} closable={false} keyboard={false} footer={null} width={400} zIndex={1400} styles={{ mask: { background: 'var(--bg)', backdropFilter: 'none' } }}>
      <form className="stack" onSubmit={submit}>
        <p className="second">{t('endedSession.why')}</p>
        <Field label={t('signIn.name')}>
          <Input value={props.user.name} autoComplete="username" disabled />
        </Field>
        <Field label={t('signIn.password')} fault={fault}>
          <Input type="password" autoComplete="current-password" autoFocus value={password} onChange={(event) => setPassword(event.target.value)} />
        </Field>
        <Button type="primary" htmlType="submit" block loading={busy} disabled={!password}>
          {t('signIn.do')}
        </Button>
        {other && (
          <Button href={other.url} target="_blank" block>
            {t('endedSession.elsewhere', { name: other.label })}
          </Button>
        )}
        <Button type="text" block onClick={goElsewhere}>
          {t('endedSession.other')}
        </Button>
      </form>
    </Dialog>
  );
}

/** The server of somebody else where one may sign in, if there is one. */
function useOtherSite() {
  const [site, setSite] = useState<{ url: string; label: string } | null>(null);
  useEffect(() => {
    take(api.GET('/wunder/session/options')).then(
      (options) => setSite(options.oidc ?? null),
      // Without it there is still the password.
      () => undefined,
    );
  }, []);
  return site;
}
