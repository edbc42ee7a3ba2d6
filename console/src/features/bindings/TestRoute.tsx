// "Test this route": which binding a conversation would get, and why the others would not.
import { useMutation } from '@tanstack/react-query';
import { Button, Input, Select } from 'antd';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import { useAccounts, useChannelChoices } from '../../api/lists';
import type { Binding } from '../../api/schema';
import { Field } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { Card } from '../../components/Page';
import { Failed } from '../../components/States';
import { missOf } from './order';

export function TestRoute(props: { bindings: Binding[]; matched: (bindingId: string) => void }) {
  const { t } = useTranslation();
  const channels = useChannelChoices();
  const accounts = useAccounts();
  const [question, setQuestion] = useState({ channel: '', account_id: '', peer_kind: 'user', peer_id: '' });
  const set = (changes: Partial<typeof question>) => setQuestion((old) => ({ ...old, ...changes }));
  const run = useMutation({
    mutationFn: () => take(api.POST('/wunder/admin/channels/bindings/test', { body: question })),
    onSuccess: (route) => props.matched(route.binding?.binding_id ?? ''),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    run.mutate();
  };
  const winner = run.data?.binding;
  return (
    <Card title={t('route.title')}>
      <form className="stack" onSubmit={submit}>
        <Field label={t('account.channel')}>
          <Select value={question.channel || undefined} options={channels} placeholder={t('form.choose')} onChange={(channel: string) => set({ channel, account_id: '' })} />
        </Field>
        <Field label={t('account.name')}>
          <Select
            value={question.account_id || undefined}
            placeholder={t('form.choose')}
            options={(accounts.data?.items ?? [])
              .filter((one) => one.channel === question.channel)
              .map((one) => ({ value: one.account_id, label: one.display_name || one.account_id }))}
            onChange={(account_id: string) => set({ account_id })}
          />
        </Field>
        <Field label={t('binding.peerKind')}>
          <Select
            value={question.peer_kind}
            options={['user', 'group', 'channel'].map((one) => ({ value: one, label: t(`peer.${one}`) }))}
            onChange={(peer_kind: string) => set({ peer_kind })}
          />
        </Field>
        <Field label={t('binding.peerId')} hint={t('route.peerHint')}>
          <Input className="mono" value={question.peer_id} onChange={(event) => set({ peer_id: event.target.value })} />
        </Field>
        <Button htmlType="submit" loading={run.isPending} disabled={!question.channel || !question.account_id}>
          {t('route.do')}
        </Button>
        <div aria-live="polite" className="stack tight">
          {run.error && <Failed error={run.error} compact />}
          {run.data &&
            (winner ? (
              <div className="note ok">
                <Icon name="check" />
                <span>{t('route.goesTo', { agent: winner.agent_id })}</span>
              </div>
            ) : (
              <div className="note warn">
                <Icon name="warning" />
                <span>{t('route.goesNowhere')}</span>
              </div>
            ))}
          {run.data &&
            props.bindings
              .filter((one) => one.binding_id !== winner?.binding_id)
              .slice(0, 12)
              .map((one) => {
                const miss = missOf(one, question);
                return (
                  <span key={one.binding_id} className="meta">
                    {one.agent_id}: {miss ? t(`route.miss.${miss}`) : t('route.outranked')}
                  </span>
                );
              })}
        </div>
      </form>
    </Card>
  );
}
