// Where a typed word leads: an id to its page, anything else to a search in the messages.
import { useNavigate } from '@tanstack/react-router';
import { ApiError, api, take } from '../api/client';
import { complain } from './notices';

const HEX_ID = /^[0-9a-f]{32}$/;
const ATTEMPT = /^([0-9a-f]{32})\.\d+$/;

/** Return how to go where a word leads; the promise says whether it led anywhere. */
export function useJump(): (word: string) => Promise<boolean> {
  const navigate = useNavigate();
  return async (word) => {
    const id = ATTEMPT.exec(word)?.[1] ?? word;
    try {
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

/** Return the message that an id of a message or of a delivery belongs to. */
async function messageOf(id: string): Promise<string | null> {
  const message = await orNull(take(api.GET('/wunder/admin/channels/messages/{message_id}', { params: { path: { message_id: id } } })));
  if (message) return message.message_id;
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
