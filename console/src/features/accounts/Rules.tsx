// Who may talk to an account, and how its replies are delivered: the gateway's own settings.
import { Checkbox, Input, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import type { AccessRules, DeliverySettings } from '../../api/schema';
import { Field } from '../../components/Field';

export function AccessFields(props: { value: AccessRules; change: (value: AccessRules) => void; faults: Record<string, string>; readOnly?: boolean }) {
  const { t } = useTranslation();
  const { value, change } = props;
  const set = (part: Partial<AccessRules>) => change({ ...value, ...part });
  const list = (name: 'allow_peers' | 'deny_peers' | 'allow_senders' | 'deny_senders') => (
    <Field key={name} label={t(`access.${name}`)} fault={props.faults[name]}>
      <Select
        mode="tags"
        open={false}
        suffixIcon={null}
        disabled={props.readOnly}
        tokenSeparators={[' ', ',', '\n']}
        value={value[name] ?? (name.startsWith('allow') ? ['*'] : [])}
        onChange={(chosen: string[]) => set({ [name]: chosen })}
      />
    </Field>
  );
  return (
    <div className="stack wide">
      <Field label={t('access.direct')}>
        <Select
          disabled={props.readOnly}
          style={{ maxWidth: 420 }}
          value={value.direct ?? 'all'}
          options={(['all', 'pairing', 'off'] as const).map((one) => ({ value: one, label: t(`access.directs.${one}`) }))}
          onChange={(direct: AccessRules['direct']) => set({ direct })}
        />
      </Field>
      <Field label={t('access.groups')}>
        <Select
          disabled={props.readOnly}
          style={{ maxWidth: 420 }}
          value={value.groups ?? 'mention'}
          options={(['mention', 'all', 'off'] as const).map((one) => ({ value: one, label: t(`access.groupsOf.${one}`) }))}
          onChange={(groups: AccessRules['groups']) => set({ groups })}
        />
      </Field>
      {list('allow_peers')}
      {list('deny_peers')}
      {list('allow_senders')}
      {list('deny_senders')}
      <p className="meta">{t('access.hint')}</p>
      <Checkbox checked={value.commands ?? true} disabled={props.readOnly} onChange={(event) => set({ commands: event.target.checked })}>
        {t('access.commands')}
      </Checkbox>
    </div>
  );
}

export function DeliveryFields(props: { value: DeliverySettings; change: (value: DeliverySettings) => void; readOnly?: boolean }) {
  const { t } = useTranslation();
  const { value, change } = props;
  const set = (part: Partial<DeliverySettings>) => change({ ...value, ...part });
  return (
    <div className="stack wide">
      <Field label={t('delivery.onUnknown')} hint={t('delivery.onUnknownHint')}>
        <Select
          disabled={props.readOnly}
          style={{ maxWidth: 420 }}
          value={value.on_unknown ?? 'park'}
          options={(['park', 'retry_once'] as const).map((one) => ({ value: one, label: t(`delivery.unknown.${one}`) }))}
          onChange={(on_unknown: DeliverySettings['on_unknown']) => set({ on_unknown })}
        />
      </Field>
      <Field label={t('delivery.ttl')} hint={t('delivery.ttlHint')}>
        <Input
          type="number"
          min={1}
          step={60}
          disabled={props.readOnly}
          style={{ maxWidth: 200 }}
          value={value.ttl_s ?? 86_400}
          onChange={(event) => set({ ttl_s: Number(event.target.value) || 0 })}
        />
      </Field>
      <Field label={t('delivery.apology')} hint={t('delivery.apologyHint')}>
        <Input.TextArea
          autoSize={{ minRows: 1, maxRows: 4 }}
          disabled={props.readOnly}
          value={value.apology ?? ''}
          placeholder={t('delivery.apologyDefault')}
          onChange={(event) => set({ apology: event.target.value === '' ? null : event.target.value })}
        />
      </Field>
      <Checkbox checked={value.stream ?? true} disabled={props.readOnly} onChange={(event) => set({ stream: event.target.checked })}>
        {t('delivery.stream')}
      </Checkbox>
    </div>
  );
}
