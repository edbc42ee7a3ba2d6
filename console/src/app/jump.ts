// Where a typed word leads: what names a plugin, an account, a session, a message or a delivery to its page,
// anything else to a search in the messages.
import { useNavigate } from '@tanstack/react-router';
import { ApiError, api, take } from '../api/client';
import { queries } from '../api/query';
import { complain } from './notices';

const HEX_ID = /^[0-9a-f]{32}$/;
const ATTEMPT = /^([0-9a-f]{32})\.\d+$/;

/** Return how to go where a word leads; the promise says whether it led anywhere. */
export function useJump(): (word: string) => Promise<boolean> {
  const navigate = useNavigate();
  return async (word) => {
    const id = ATTEMPT.exec(word)?.[1] ?? word;
    try {
      if (HEX_ID.test(id) && (await isSession(id))) {
        await navigate({ to: '/sessions', search: { session: id } as never });
        return true;
      }
      const thing = await thingOf(word);
      if (thing) {
        await navigate(thing);
        return true;
      }
      if (HEX_ID.test(id)) {
        const found = await messageOf(id);
        if (found) {
          await navigate({ to: '/trace/$messageId', params: { messageId: found } });
          return true;
        }
      }
      await navigate({ to: '/trace', search: { text: word } as never });
      return true;
    } catch (error) {
      complain(error);
      return false;
    }
  };
}

async function isSession(id: string): Promise<boolean> {
  const found = await take(api.GET('/wunder/admin/channels/sessions', { params: { query: { text: id, limit: 1 } } }));
  return found.items[0]?.session_id === id;
}

/** Return the page of the plugin or account that a word names exactly. */
async function thingOf(word: string) {
  const plain = word.toLowerCase();
  const plugins = await queries.fetchQuery({ queryKey: ['plugins'], queryFn: () => take(api.GET('/wunder/admin/channel_plugins')), staleTime: 30_000 });
  const plugin = plugins.items.find((one) => one.plugin_id === plain);
  if (plugin) return { to: '/plugins/$pluginId', params: { pluginId: plugin.plugin_id } } as const;
  const accounts = await queries.fetchQuery({ queryKey: ['accounts'], queryFn: () => take(api.GET('/wunder/admin/channels/accounts')), staleTime: 30_000 });
  const found = accounts.items.filter((one) =>
    [one.account_uid, one.account_id, one.external_id, one.webhook_key, one.display_name.toLowerCase(), `${one.channel}/${one.account_id}`].includes(plain),
  );
  const only = found.length === 1 ? found[0] : undefined;
  return only && ({ to: '/accounts/$channel/$accountId', params: { channel: only.channel, accountId: only.account_id } } as const);
}

/** Return the message that an id of a message or of a delivery belongs to. */
async function messageOf(id: string): Promise<string | null> {
  // As a search: an id that is none of a message is no error.
  const found = await take(api.GET('/wunder/admin/channels/messages', { params: { query: { text: id, limit: 1 } } }));
  const message = found.items[0];
  if (message?.message_id === id) return id;
  const delivery = await orNull(take(api.GET('/wunder/admin/channels/outbox/{delivery_id}', { params: { path: { delivery_id: id } } })));
  return delivery ? (delivery.root_message_id ?? delivery.message_id) : null;
}

async function orNull<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 422)) return null;
    throw error;
  }
}
