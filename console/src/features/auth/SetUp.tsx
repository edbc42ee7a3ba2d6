// First run: the one-time link becomes the first administrator.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Navigate, useNavigate } from '@tanstack/react-router';
import { Button, Input } from 'antd';
import { useEffect, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api, take } from '../../api/client';
import { expectSession, fetchSession, SESSION_KEY, useSessionQuery } from '../../app/session';
import { forgetSetupToken, setupToken, tokenIn } from '../../app/setupToken';
import { Field } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { useProblemText } from '../../components/States';
import { useFaultWords } from '../../forms/words';
import { AuthFrame } from './AuthFrame';

export function SetUpPage() {
  const { t } = useTranslation();
  const session = useSessionQuery();
  const [typed, setTyped] = useState('');
  const [isTyped, setIsTyped] = useState(false);
  useEffect(() => {
    document.title = `${t('setUp.title')} · Wunder Channels`;
  }, [t]);
  // A link that was used says so before anybody thinks of a password.
  const options = useQuery({
    queryKey: ['sign-in-options'],
    queryFn: () => take(api.GET('/wunder/session/options')),
    staleTime: 60_000,
  });
  const isUsed = options.data?.needs_setup === false;
  if (session.data && (isUsed || !setupToken())) return <Navigate to="/" replace />;
  if (isUsed) {
    return (
      <AuthFrame title={t('setUp.title')} lead={t('setUp.usedLead')}>
        <Link to="/sign-in" className="button-link" onClick={forgetSetupToken}>
          {t('setUp.used')}
        </Link>
      </AuthFrame>
    );
  }
  const token = setupToken() || (isTyped ? tokenIn(typed) : '');
  if (!token) {
    return (
      <AuthFrame title={t('setUp.title')} lead={t('setUp.noToken')}>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            setIsTyped(true);
          }}
        >
          <Field label={t('setUp.token')} hint={t('setUp.tokenHint')}>
            <Input size="large" autoComplete="off" value={typed} onChange={(event) => setTyped(event.target.value)} />
          </Field>
          <Button type="primary" size="large" htmlType="submit" block disabled={!typed.trim()}>
            {t('do.next')}
          </Button>
          <Link to="/sign-in">{t('setUp.haveAccount')}</Link>
        </form>
      </AuthFrame>
    );
  }
  return (
    <AuthFrame title={t('setUp.title')} lead={t('setUp.lead')}>
      <FirstAdministrator
        token={token}
        refused={() => {
          forgetSetupToken();
          setIsTyped(false);
          setTyped('');
        }}
      />
    </AuthFrame>
  );
}

const MIN_CHARS = 10;

function FirstAdministrator(props: { token: string; refused: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const problem = useProblemText();
  const words = useFaultWords();
  const [name, setName] = useState('admin');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [faults, setFaults] = useState<Record<string, string>>({});
  const [error, setError] = useState('');
  const [isOver, setOver] = useState(false);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const found: Record<string, string> = {};
    if (password.length < MIN_CHARS) found.password = t('setUp.tooShort', { count: MIN_CHARS });
    else if (password !== again) found.again = t('setUp.notSame');
    setFaults(found);
    setError('');
    if (Object.keys(found).length) return;
    setBusy(true);
    try {
      await take(api.POST('/wunder/admin/setup', { body: { token: props.token, name, password } }));
      forgetSetupToken();
      expectSession(true);
      client.setQueryData(SESSION_KEY, await fetchSession());
      await navigate({ to: '/welcome', replace: true });
    } catch (caught) {
      if (caught instanceof ApiError && caught.faults.length) {
        setFaults(Object.fromEntries(caught.faults.map((one) => [one.pointer.slice(1), words(one.code, undefined, one.message)])));
      } else {
        setError(problem(caught));
        setOver(caught instanceof ApiError && [401, 403, 409, 410].includes(caught.status));
      }
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="stack" onSubmit={submit}>
      <Field label={t('signIn.name')} fault={faults.name} hint={t('setUp.nameHint')}>
        <Input size="large" autoComplete="username" autoCapitalize="none" spellCheck={false} value={name} onChange={(event) => setName(event.target.value)} />
      </Field>
      <Field label={t('signIn.password')} fault={faults.password} hint={faults.password ? undefined : t('setUp.passwordHint', { count: MIN_CHARS })}>
        <Input size="large" type="password" autoFocus autoComplete="new-password" value={password} onChange={(event) => setPassword(event.target.value)} />
      </Field>
      <Field label={t('setUp.again')} fault={faults.again}>
        <Input size="large" type="password" autoComplete="new-password" value={again} onChange={(event) => setAgain(event.target.value)} />
      </Field>
      {error && (
        <div className="note err" role="alert">
          <Icon name="warning" />
          <div>
            {error}
            {isOver && (
              <div className="row">
                <Button type="link" size="small" style={{ padding: 0 }} onClick={props.refused}>
                  {t('setUp.otherToken')}
                </Button>
                <Link to="/sign-in">{t('setUp.haveAccount')}</Link>
              </div>
            )}
          </div>
        </div>
      )}
      <Button type="primary" size="large" htmlType="submit" block loading={busy} disabled={!name || !password || !again}>
        {t('setUp.do')}
      </Button>
    </form>
  );
}
