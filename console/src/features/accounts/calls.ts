// Calls about one account that several pages make.
import { api } from '../../api/client';
import type { AccountView } from '../../api/schema';
import { act } from '../../app/confirmed';

/** Switch an account on or off; its revision protects what somebody else changed meanwhile. */
export function setEnabled(account: AccountView, isEnabled: boolean) {
  return act(() =>
    api.PATCH('/wunder/admin/channels/accounts/{channel}/{account_id}', {
      params: { path: { channel: account.channel, account_id: account.account_id }, header: { 'If-Match': String(account.rev) } },
      body: { is_enabled: isEnabled },
    }),
  );
}

/** The whole address that a platform is given. */
export function wholeUrl(path: string): string {
  return path ? new URL(path, location.origin).href : '';
}
