// Making or changing a binding.
import { Button, Input, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api } from '../../api/client';
import { useAccounts, useAgents, useChannelChoices } from '../../api/lists';
import type { Binding } from '../../api/schema';
import { act } from '../../app/confirmed';
import { say } from '../../app/notices';
import { Dialog } from '../../components/Dialog';
import { Field } from '../../components/Field';
import { Failed } from '../../components/States';
import type { Fault } from '../../forms/faults';
import { useFaultWords } from '../../forms/words';

export function BindingDialog(props: { binding: Binding | null; channel?: string; accountId?: string; close: () => void; saved: () => void }) {
  const { t } = useTranslation();
  const words = useFaultWords();
  const channels = useChannelChoices();
  const accounts = useAccounts();
  const agents = useAgents();
  const [draft, setDraft] = useState({
    channel: props.binding?.channel ?? props.channel ?? '*',
    account_id: props.binding?.account_id ?? props.accountId ?? '*',
    peer_kind: props.binding?.peer_kind ?? '*',
    peer_id: props.binding?.peer_id ?? '*',
    agent_id: props.binding?.agent_id ?? '',
    priority: props.binding?.priority ?? 0,
  });
  const [faults, setFaults] = useState<Fault[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const set = (changes: Partial<typeof draft>) => setDraft((old) => ({ ...old, ...changes }));
  const faultAt = (name: string) => {
    const found = faults.find((one) => one.pointer === `/${name}`);
    return found && words(found.code, undefined, found.message);
  };
  const agentId = draft.agent_id || agents.data?.items.find((one) => one.is_default)?.agent_id || '';
  const save = async () => {
    setBusy(true);
    setFaults([]);
    setError(null);
    const body = { ...draft, agent_id: agentId, is_enabled: props.binding?.is_enabled ?? true, events: props.binding?.events ?? false, owner_user_id: props.binding?.owner_user_id ?? '' };
    try {
      if (props.binding) {
        const { binding_id, rev } = props.binding;
        await act(() =>
          api.PUT('/wunder/admin/channels/bindings/{binding_id}', {
            params: { path: { binding_id }, header: { 'If-Match': String(rev ?? 1) } },
            body,
          }),
        );
      } else await act(() => api.POST('/wunder/admin/channels/bindings', { body }));
      say(t('binding.saved'));
      props.saved();
      props.close();
    } catch (caught) {
      if (caught instanceof ApiError && caught.faults.length) setFaults(caught.faults);
      else setError(caught);
      setBusy(false);
    }
  };
  const any = { value: '*', label: t('binding.any') };
  return (
    <Dialog
      open
      title={props.binding ? t('binding.edit') : t('binding.add')}
      onCancel={props.close}
      width={520}
      footer={
        <div className="row end">
          <Button onClick={props.close}>{t('do.cancel')}</Button>
          <Button type="primary" loading={busy} disabled={!agentId} onClick={() => void save()}>
            {t('do.save')}
          </Button>
        </div>
      }
    >
      <div className="stack wide">
        <Field label={t('account.channel')} fault={faultAt('channel')}>
          <Select value={draft.channel} options={[any, ...channels]} onChange={(channel: string) => set({ channel, account_id: '*' })} />
        </Field>
        <Field label={t('account.name')} fault={faultAt('account_id')}>
          <Select
            value={draft.account_id}
            showSearch={{ optionFilterProp: 'label' }}
            options={[
              any,
              ...(accounts.data?.items ?? [])
                .filter((one) => draft.channel === '*' || one.channel === draft.channel)
                .map((one) => ({ value: one.account_id, label: one.display_name ? `${one.display_name} (${one.account_id})` : one.account_id })),
            ]}
            onChange={(account_id: string) => set({ account_id })}
          />
        </Field>
        <Field label={t('binding.peerKind')} fault={faultAt('peer_kind')}>
          <Select
            value={draft.peer_kind}
            options={[any, ...['user', 'group', 'channel'].map((one) => ({ value: one, label: t(`peer.${one}`) }))]}
            onChange={(peer_kind: string) => set({ peer_kind })}
          />
        </Field>
        <Field label={t('binding.peerId')} hint={t('binding.peerIdHint')} fault={faultAt('peer_id')}>
          <Input className="mono" value={draft.peer_id} onChange={(event) => set({ peer_id: event.target.value })} />
        </Field>
        <Field label={t('binding.agent')} fault={faultAt('agent_id')} required>
          <Select
            value={agentId || undefined}
            options={(agents.data?.items ?? []).map((one) => ({ value: one.agent_id, label: `${one.agent_id} · ${t(`agent.kinds.${one.kind}`)}` }))}
            onChange={(agent_id: string) => set({ agent_id })}
          />
        </Field>
        <Field label={t('binding.priority')} hint={t('binding.priorityHint')} fault={faultAt('priority')}>
          <Input type="number" style={{ maxWidth: 140 }} value={draft.priority} onChange={(event) => set({ priority: Number(event.target.value) || 0 })} />
        </Field>
        {error !== null && <Failed error={error} compact />}
      </div>
    </Dialog>
  );
}
