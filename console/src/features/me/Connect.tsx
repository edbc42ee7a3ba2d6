// Connecting a channel: its basic form, and the agent that answers.
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Button, Input, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client';
import { localName } from '../../api/lists';
import type { ProviderView } from '../../api/schema';
import { act } from '../../app/confirmed';
import { complain } from '../../app/notices';
import { Field } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { Card, Page } from '../../components/Page';
import { Empty, Failed, Skeleton } from '../../components/States';
import { SchemaForm } from '../../forms/SchemaForm';
import { useSending } from '../../forms/sending';
import { useFaultWords } from '../../forms/words';
import { useDraft } from '../accounts/draft';
import '../accounts/gallery.css';
import { useLeaveGuard } from '../accounts/leaveGuard';
import { useOfferedAgents, useOwnProviders } from './lists';

export function ConnectPage() {
  const { t, i18n } = useTranslation();
  const { channel } = useParams({ from: '/in/me/connect/$channel' });
  const providers = useOwnProviders();
  const provider = providers.data?.items.find((one) => one.channel === channel);
  if (providers.isPending) return <Skeleton lines={8} />;
  if (!providers.data) return <Failed error={providers.error} retry={() => void providers.refetch()} />;
  return (
    <Page
      title={provider ? t('me.connectTo', { channel: localName(provider.name, provider.i18n, i18n.language) }) : t('me.connect')}
      lead={
        <>
          <Link to="/me">{t('nav.me')}</Link>
          <span className="muted">/</span>
        </>
      }
    >
      {provider ? (
        <ConnectForm key={channel} provider={provider} />
      ) : (
        <Card flush>
          <Empty icon="lock" text={t('me.closed')} hint={t('me.noneHint')} action={<Link to="/me">{t('nav.me')}</Link>} />
        </Card>
      )}
    </Page>
  );
}

function ConnectForm(props: { provider: ProviderView }) {
  const { t } = useTranslation();
  const { provider } = props;
  const navigate = useNavigate();
  const client = useQueryClient();
  const words = useFaultWords();
  const agents = useOfferedAgents();
  const { draft, change, form, isChanged, config } = useDraft(undefined);
  const { faults, error, busy, send } = useSending();
  const leave = useLeaveGuard(isChanged && !busy);
  const agentId = draft.agentId || agents.data?.items[0]?.agent_id || '';
  const own = faults.find((one) => one.pointer === '/display_name');
  const submit = () =>
    send(async () => {
      const made = await act(() =>
        api.POST('/wunder/channels/accounts', {
          body: { channel: provider.channel, display_name: draft.displayName, provider_config: config() as never },
        }),
      );
      if (agentId) {
        await act(() =>
          api.POST('/wunder/channels/bindings', { body: { channel: made.channel, account_id: made.account_id, agent_id: agentId } }),
        ).catch(complain);
      }
      for (const key of ['own-accounts', 'own-bindings']) void client.invalidateQueries({ queryKey: [key] });
      leave.allow();
      await navigate({ to: '/me/accounts/$channel/$accountId', params: { channel: made.channel, accountId: made.account_id }, replace: true });
    });
  return (
    <div style={{ maxWidth: 640 }}>
      <Card>
        <div className="stack wide">
          <Field label={t('account.displayName')} hint={t('me.nameHint')} fault={own && words(own.code, undefined, own.message)}>
            <Input autoFocus maxLength={100} value={draft.displayName} onChange={(event) => change({ displayName: event.target.value })} />
          </Field>
          <SchemaForm
            schema={provider.account_schema}
            {...form}
            submit={() => void submit()}
            faults={faults.filter((one) => one.pointer !== '/display_name')}
            prefix="/provider_config"
            audience="user"
            formId="connect-form"
          />
          {agents.data && agents.data.items.length === 0 ? (
            <div className="note warn">
              <Icon name="warning" />
              {t('me.noAgents')}
            </div>
          ) : (
            <Field label={t('account.answeredBy')}>
              <Select
                style={{ maxWidth: 320 }}
                value={agentId || undefined}
                loading={agents.isPending}
                options={(agents.data?.items ?? []).map((one) => ({ value: one.agent_id, label: one.agent_id }))}
                onChange={(chosen: string) => change({ agentId: chosen })}
              />
            </Field>
          )}
          {error !== null && <Failed error={error} compact />}
        </div>
        <div className="save-bar">
          <Button type="primary" htmlType="submit" form="connect-form" loading={busy}>
            {t('me.connectDo')}
          </Button>
          <Link to="/me" className="button-link">
            {t('do.cancel')}
          </Link>
        </div>
      </Card>
      {leave.dialog}
    </div>
  );
}
