// What is left to do until an own account works.
import { useQueryClient } from '@tanstack/react-query';
import { Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client';
import type { AccountView, ProviderView } from '../../api/schema';
import { act } from '../../app/confirmed';
import { complain } from '../../app/notices';
import { UrlToCopy } from '../../forms/widgets';
import { wholeUrl } from '../accounts/calls';
import { ChatLink } from '../accounts/ChatLink';
import { Todo } from '../accounts/Waiting';
import { useActivity } from './activity';
import { useOfferedAgents, useOwnBindings } from './lists';

export function Steps(props: { account: AccountView; provider: ProviderView | undefined }) {
  const { t } = useTranslation();
  const { account, provider } = props;
  const client = useQueryClient();
  const bindings = useOwnBindings();
  const agents = useOfferedAgents();
  const bound = bindings.data?.items.find((one) => one.channel === account.channel && one.account_id === account.account_id && one.is_enabled !== false);
  const first = useActivity(account).data?.has_received ?? false;
  // A chat page of the gateway's own is the platform: nobody else is to be told an address.
  const hasWebhook = !account.chat_url && (provider?.capabilities as Record<string, boolean> | undefined)?.webhook !== false;
  const isOn = account.status === 'enabled';
  const bind = async (agentId: string) => {
    try {
      const body = { channel: account.channel, account_id: account.account_id, agent_id: agentId };
      if (bound) {
        await act(() =>
          api.PUT('/wunder/channels/bindings/{binding_id}', {
            params: { path: { binding_id: bound.binding_id }, header: { 'If-Match': String(bound.rev ?? 1) } },
            body,
          }),
        );
      } else await act(() => api.POST('/wunder/channels/bindings', { body }));
    } catch (error) {
      complain(error);
    }
    void client.invalidateQueries({ queryKey: ['own-bindings'] });
  };
  let index = 1;
  return (
    <ol className="todo">
      <Todo index={index++} state={isOn ? 'done' : 'now'} title={isOn ? t('todo.enabled') : account.status === 'draft' ? t('todo.fix') : t('todo.enable')} />
      <Todo index={index++} state={bound ? 'done' : 'now'} title={bound ? t('me.answeredBy', { agent: bound.agent_id }) : t('todo.bind')}>
        <Select
          size="small"
          style={{ maxWidth: 240 }}
          aria-label={t('account.answeredBy')}
          placeholder={t('form.choose')}
          value={bound?.agent_id}
          options={(agents.data?.items ?? []).map((one) => ({ value: one.agent_id, label: one.agent_id }))}
          onChange={(agentId: string) => void bind(agentId)}
        />
      </Todo>
      {account.chat_url && (
        <Todo index={index++} state={first ? 'done' : 'now'} title={t('todo.chat')}>
          <ChatLink url={account.chat_url} />
        </Todo>
      )}
      {hasWebhook && (
        <Todo index={index++} state={first ? 'done' : isOn ? 'now' : 'later'} title={t('todo.webhook')}>
          <UrlToCopy url={wholeUrl(account.webhook_url)} label={t('todo.webhookUrl')} />
        </Todo>
      )}
      <Todo index={index} state={first ? 'done' : 'now'} title={first ? t('todo.arrived') : t('todo.waiting')}>
        <span className="meta" aria-live="polite">
          {first ? '' : t('todo.waitingHint')}
        </span>
      </Todo>
    </ol>
  );
}
