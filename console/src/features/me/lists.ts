// What a user's own pages ask for: channels that are open, agents that are offered, what is theirs.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';

export function useOwnProviders() {
  const { i18n } = useTranslation();
  return useQuery({
    queryKey: ['own-providers', i18n.language],
    queryFn: () => take(api.GET('/wunder/channels/providers')),
    // Until the other language is there, the form that somebody may be typing in stands as it is.
    placeholderData: keepPreviousData,
    // A channel that opens arrives by the stream; this is for when the stream is lost.
    refetchInterval: 30_000,
  });
}

export function useOwnAccounts() {
  return useQuery({ queryKey: ['own-accounts'], queryFn: () => take(api.GET('/wunder/channels/accounts')) });
}

export function useOwnBindings() {
  return useQuery({ queryKey: ['own-bindings'], queryFn: () => take(api.GET('/wunder/channels/bindings')) });
}

export function useOfferedAgents() {
  return useQuery({ queryKey: ['agents', 'offered'], queryFn: () => take(api.GET('/wunder/channels/agents')) });
}

export function useOwnTallies() {
  return useQuery({
    queryKey: ['own-tallies'],
    queryFn: async () => new Map((await take(api.GET('/wunder/channels/tallies'))).items.map((one) => [one.subject, one])),
    // They are counted every 5 s; messages are no events.
    refetchInterval: 10_000,
  });
}
