// One click to a conversation: the page of the first account that has one; where there is none yet, it is made
// here, by the same calls as from the forms.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, ApiError, take } from '../../api/client';
import { useAccounts, useProviders } from '../../api/lists';
import type { AccountView } from '../../api/schema';
import { useSession } from '../../app/session';

const FIRST = 'default';

export interface ChatNow {
  open: () => void;
  isOpening: boolean;
  error: Error | null;
}

/** Return the way to the chat, or undefined where no channel of this gateway has a page, or nobody may make one. */
export function useChatNow(): ChatNow | undefined {
  const { user } = useSession();
  const cache = useQueryClient();
  const providers = useProviders();
  const accounts = useAccounts();
  const channel = providers.data?.items.find((one) => one.capabilities.chat_page)?.channel;
  const opening = useMutation({
    mutationFn: async (tab: Window | null) => {
      const account = await place(channel as string);
      await cache.invalidateQueries({ queryKey: ['accounts'] });
      // The gateway may not know by which name it is reached: only the path is taken.
      const address = new URL(account.chat_url ?? '', window.location.href);
      const page = `${window.location.origin}${address.pathname}`;
      if (tab) tab.location.href = page;
      else window.location.assign(page);
    },
    onError: (_error, tab) => tab?.close(),
  });
  const isThere = accounts.data?.items.some((one) => isOpen(one, channel));
  if (!channel || !accounts.data || !(isThere || user.role === 'admin')) return undefined;
  return {
    // The tab is opened by the click itself: a later one would be taken for an unwanted window.
    open: () => opening.mutate(window.open('about:blank', '_blank')),
    isOpening: opening.isPending,
    error: opening.error,
  };
}

function isOpen(account: AccountView, channel?: string): boolean {
  return account.channel === channel && account.status === 'enabled';
}

async function place(channel: string): Promise<AccountView> {
  const accounts = await take(api.GET('/wunder/admin/channels/accounts'));
  const found = accounts.items.find((one) => isOpen(one, channel));
  if (found) return found;
  const agents = await take(api.GET('/wunder/admin/agents'));
  const agent = agents.items.find((one) => one.is_default) ?? agents.items[0];
  if (!agent) throw new ApiError(409, { title: 'There is no agent yet.' });
  const made = await take(api.POST('/wunder/admin/channels/accounts', { body: { channel, account_id: FIRST } }));
  const binding = { channel, account_id: made.account_id, agent_id: agent.agent_id };
  await take(api.POST('/wunder/admin/channels/bindings', { body: binding }));
  return made;
}
