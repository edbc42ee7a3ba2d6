// A new account: choose the channel, fill in its form, and the gateway says what is wrong with it.
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Button, Input, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client';
import { useAccounts, useAgents, useChannelName, useProviders } from '../../api/lists';
import type { ProviderView } from '../../api/schema';
import { useAddress } from '../../app/address';
import { act } from '../../app/confirmed';
import { complain } from '../../app/notices';
import { useMay } from '../../app/session';
import { Field } from '../../components/Field';
import { BarePage, Card, Page } from '../../components/Page';
import { Empty, Failed, Forbidden, Skeleton } from '../../components/States';
import { SchemaForm } from '../../forms/SchemaForm';
import { useSending } from '../../forms/sending';
import { useFaultWords } from '../../forms/words';
import { ChannelGallery } from './ChannelGallery';
import { proposeId, useDraft } from './draft';
import { useLeaveGuard } from './leaveGuard';

export function NewAccountPage() {
  const { t } = useTranslation();
  const mayWrite = useMay('admin');
  const [search, change] = useAddress();
  const providers = useProviders();
  const channelName = useChannelName();
  const crumb = (
    <>
      <Link to="/accounts">{t('tabs.accounts')}</Link>
      <span className="muted">/</span>
    </>
  );
  if (!mayWrite) return <BarePage title={t('account.add')}><Forbidden role="admin" /></BarePage>;
  if (providers.isPending) return <Skeleton lines={6} />;
  if (!providers.data) return <Failed error={providers.error} retry={() => void providers.refetch()} />;
  const provider = providers.data.items.find((one) => one.channel === search.channel);
  if (!provider) {
    return (
      <Page title={t('account.add')} lead={crumb}>
        <p className="second">{t('gallery.lead')}</p>
        <ChannelGallery
          providers={providers.data.items}
          choose={(channel) => change({ channel })}
          empty={<Empty icon="plugin" text={t('gallery.none')} action={<Link to="/plugins/upload">{t('plugin.upload')}</Link>} />}
        />
      </Page>
    );
  }
  return (
    <Page title={t('account.addTo', { channel: channelName(provider.channel) })} lead={crumb}>
      <NewForm key={provider.channel} provider={provider} />
    </Page>
  );
}

function NewForm(props: { provider: ProviderView }) {
  const { t } = useTranslation();
  const { provider } = props;
  const navigate = useNavigate();
  const client = useQueryClient();
  const words = useFaultWords();
  const accounts = useAccounts();
  const agents = useAgents();
  const { draft, change, form, isChanged, config } = useDraft(undefined);
  const [isIdTyped, setIdTyped] = useState(false);
  const { faults, error, busy, send } = useSending();
  const leave = useLeaveGuard(isChanged && !busy);
  const taken = new Set((accounts.data?.items ?? []).filter((one) => one.channel === provider.channel).map((one) => one.account_id));
  const accountId = isIdTyped ? draft.accountId : proposeId(draft.displayName, provider.channel, taken);
  const defaultAgent = agents.data?.items.find((one) => one.is_default)?.agent_id ?? agents.data?.items[0]?.agent_id;
  const agentId = draft.agentId || defaultAgent;
  const faultAt = (pointer: string) => {
    const found = faults.find((one) => one.pointer === pointer);
    return found && words(found.code, undefined, found.message);
  };
  const submit = () =>
    send(async () => {
      const made = await act(() =>
        api.POST('/wunder/admin/channels/accounts', {
          body: {
            channel: provider.channel,
            account_id: accountId,
            display_name: draft.displayName,
            provider_config: config() as never,
          },
        }),
      );
      if (agentId && agentId !== NO_AGENT) {
        await act(() =>
          api.POST('/wunder/admin/channels/bindings', {
            body: { channel: made.channel, account_id: made.account_id, agent_id: agentId },
          }),
        ).catch(complain);
      }
      for (const key of ['accounts', 'bindings']) void client.invalidateQueries({ queryKey: [key] });
      leave.allow();
      await navigate({ to: '/accounts/$channel/$accountId', params: { channel: made.channel, accountId: made.account_id }, replace: true });
    });
  return (
    <div style={{ maxWidth: 680 }}>
      <Card>
        <div className="stack wide">
          <Field label={t('account.displayName')} hint={t('account.displayNameHint')} fault={faultAt('/display_name')}>
            <Input autoFocus value={draft.displayName} maxLength={100} onChange={(event) => change({ displayName: event.target.value })} />
          </Field>
          <Field label={t('account.id')} hint={t('account.idHint')} fault={faultAt('/account_id')} required>
            <Input
              className="mono"
              value={accountId}
              maxLength={64}
              spellCheck={false}
              onChange={(event) => {
                setIdTyped(event.target.value !== '');
                change({ accountId: event.target.value });
              }}
            />
          </Field>
          <SchemaForm
            schema={provider.account_schema}
            {...form}
            submit={() => void submit()}
            faults={faults.filter((one) => !['/account_id', '/display_name'].includes(one.pointer))}
            prefix="/provider_config"
            audience="admin"
            formId="account-form"
          />
          <Field label={t('account.answeredBy')} hint={t('account.answeredByHint')}>
            <Select
              style={{ maxWidth: 320 }}
              value={agentId}
              loading={agents.isPending}
              options={[
                ...(agents.data?.items ?? []).map((one) => ({ value: one.agent_id, label: `${one.agent_id} · ${t(`agent.kinds.${one.kind}`)}` })),
                { value: NO_AGENT, label: t('account.noAgent') },
              ]}
              onChange={(chosen: string) => change({ agentId: chosen })}
            />
          </Field>
          {error !== null && <Failed error={error} compact />}
        </div>
        <div className="save-bar">
          <Button type="primary" htmlType="submit" form="account-form" loading={busy}>
            {t('account.create')}
          </Button>
          <Link to="/accounts/new" className="button-link">
            {t('account.otherChannel')}
          </Link>
        </div>
      </Card>
      {leave.dialog}
    </div>
  );
}

const NO_AGENT = '-';
