// Sign-in: name and password, or somebody else's server; every failure says the same.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Navigate, useNavigate } from '@tanstack/react-router';
import { Button, Input } from 'antd';
import { useEffect, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api, take } from '../../api/client';
import { useAddress } from '../../app/address';
import { faultOfReturn, goingAway, safeWay } from '../../app/cameBack';
import { enter, SESSION_KEY, useSessionQuery } from '../../app/session';
import { setupToken } from '../../app/setupToken';
import { Field } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { Failed, useProblemText } from '../../components/States';
import { AuthFrame } from './AuthFrame';

/** What signing in elsewhere can fail of; the gateway's log says more. */
const FAULTS = ['oidc_failed', 'oidc_unreachable', 'not_allowed'];

export function SignInPage() {
  const { t } = useTranslation();
  const [search] = useAddress();
  const fault = faultOfReturn();
  const session = useSessionQuery();
  const options = useQuery({
    queryKey: ['sign-in-options'],
    queryFn: () => take(api.GET('/wunder/session/options')),
    staleTime: 60_000,
  });
  useEffect(() => {
    document.title = `${t('signIn.title')} · Wunder Channels`;
  }, [t]);
  if (setupToken()) return <Navigate to="/set-up" replace />;
  if (session.data) return <Navigate to={(safeWay(search.from) ?? '/') as '/'} replace />;
  return (
    <AuthFrame title={t('signIn.title')} lead={search.from ? t('signIn.comeBack') : undefined}>
      {options.data?.needs_setup && (
        <div className="note">
          <Icon name="info" />
          <div>{t('signIn.needsSetup')}</div>
        </div>
      )}
      {fault && (
        <div className="note err" role="alert">
          <Icon name="warning" />
          <div>{t(`signIn.oidcError.${FAULTS.includes(fault) ? fault : 'any'}`)}</div>
        </div>
      )}
      <PasswordForm from={search.from} />
      {options.data?.oidc && (
        <Button href={options.data.oidc.url} block onClick={() => goingAway(safeWay(search.from))}>
          {t('signIn.with', { name: options.data.oidc.label })}
        </Button>
      )}
      {options.error && <Failed error={options.error} compact retry={() => void options.refetch()} />}
    </AuthFrame>
  );
}

function PasswordForm(props: { from?: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const problem = useProblemText();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [fault, setFault] = useState('');
  const [until, setUntil] = useState(0);
  const [busy, setBusy] = useState(false);
  const left = useSecondsLeft(until);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault('');
    try {
      const session = await take(api.POST('/wunder/session', { body: { name, password } }));
      client.setQueryData(SESSION_KEY, enter(session));
      await navigate({ to: (safeWay(props.from) ?? '/') as '/', replace: true });
    } catch (error) {
      if (error instanceof ApiError && error.status === 429) {
        setUntil(Date.now() + (error.problem.retry_after_s ?? 30) * 1_000);
      } else if (error instanceof ApiError && error.status === 401) setFault(t('signIn.wrong'));
      else setFault(problem(error));
      setPassword('');
      document.getElementById('password')?.focus();
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="stack" onSubmit={submit}>
      <Field label={t('signIn.name')}>
        <Input
          autoFocus
          size="large"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      </Field>
      <div className="field">
        <label htmlFor="password">{t('signIn.password')}</label>
        <Input
          id="password"
          size="large"
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </div>
      <div aria-live="assertive">
        {left > 0 && <span className="visually-hidden">{t('problem.status429')}</span>}
        {left > 0 && (
          // Each second has another text; once is enough to be told.
          <div className="note warn" aria-live="off">
            <Icon name="lock" />
            {t('signIn.locked', { seconds: left })}
          </div>
        )}
        {fault && left <= 0 && (
          <div className="note err">
            <Icon name="warning" />
            {fault}
          </div>
        )}
      </div>
      <Button type="primary" size="large" htmlType="submit" block loading={busy} disabled={!name || !password || left > 0}>
        {t('signIn.do')}
      </Button>
    </form>
  );
}

/** Count down to a moment, in whole seconds. */
function useSecondsLeft(until: number): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const tell = () => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1_000)));
    tell();
    if (until <= Date.now()) return;
    const each = setInterval(tell, 500);
    return () => clearInterval(each);
  }, [until]);
  return left;
}
