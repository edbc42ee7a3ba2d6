// How answers of the gateway are kept on the page, and how long.
import { QueryClient } from '@tanstack/react-query';
import { ApiError, api, take } from './client';

/** Tell whether a call that failed is worth repeating by itself: only what nobody decided. */
export function isWorthRepeating(failures: number, error: Error): boolean {
  if (failures >= 2) return false;
  return error instanceof ApiError ? error.status === 0 || error.status >= 502 : false;
}

export const queries = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 5_000, gcTime: 300_000, retry: isWorthRepeating, refetchOnWindowFocus: true },
    mutations: { retry: false },
  },
});

/** What the overview begins with; asked for while its page is on its way. */
export const monitorQuery = {
  queryKey: ['monitor'],
  queryFn: () => take(api.GET('/wunder/admin/channels/monitor')),
};

/** Whether there is any account is what home asks; the pages after it ask which. */
export const accountsQuery = {
  queryKey: ['accounts'],
  queryFn: () => take(api.GET('/wunder/admin/channels/accounts')),
};
