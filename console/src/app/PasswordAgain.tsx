// Asks for the reader's own password before something that matters.
import { useQueryClient } from '@tanstack/react-query';
import { Button, Input } from 'antd';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../api/client';
import { Dialog } from '../components/Dialog';
import { Field } from '../components/Field';
import { useProblemText } from '../components/States';
import { whoAsks } from './confirmed';
import { enter, SESSION_KEY } from './session';

export function PasswordAgain() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const problem = useProblemText();
  const [isOpen, setOpen] = useState(false);
  const [password, setPassword] = useState('');
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const settle = useRef<((done: boolean) => void) | null>(null);

  useEffect(
    () =>
      whoAsks(
        () =>
          new Promise<boolean>((resolve) => {
            settle.current = resolve;
            setPassword('');
            setFault('');
            setOpen(true);
          }),
      ),
    [],
  );
  const end = (done: boolean) => {
    setOpen(false);
    settle.current?.(done);
    settle.current = null;
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const session = await take(api.POST('/wunder/session/confirm', { body: { password } }));
      client.setQueryData(SESSION_KEY, enter(session));
      end(true);
    } catch (error) {
      setFault(problem(error));
    } finally {
      setBusy(false);
    }
  };
  if (!isOpen) return null;
  return (
    <Dialog open title={t('again.title')} onCancel={() => end(false)} footer={null} width={400} zIndex={1200}>
      <form className="stack" onSubmit={submit}>
        <p className="second">{t('again.why')}</p>
        <Field label={t('signIn.password')} fault={fault}>
          <Input
            type="password"
            autoComplete="current-password"
            autoFocus
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </Field>
        <div className="row end">
          <Button onClick={() => end(false)}>{t('do.cancel')}</Button>
          <Button type="primary" htmlType="submit" loading={busy} disabled={!password}>
            {t('again.confirm')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
