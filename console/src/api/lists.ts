// What many pages ask for: channels, plugins, agents; kept once for all of them.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from './client';
import { accountsQuery } from './query';
import type { ProviderView } from './schema';

export function useProviders() {
  const { i18n } = useTranslation();
  return useQuery({
    // Forms come in the reader's language. Until it is there the other one stands: somebody may be typing in it.
    queryKey: ['providers', i18n.language],
    queryFn: () => take(api.GET('/wunder/admin/channels/providers')),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
}

export function usePlugins() {
  return useQuery({
    queryKey: ['plugins'],
    queryFn: () => take(api.GET('/wunder/admin/channel_plugins')),
    // Figures of running processes are not events.
    refetchInterval: 15_000,
  });
}

export function useAgents() {
  return useQuery({ queryKey: ['agents'], queryFn: () => take(api.GET('/wunder/admin/agents')), staleTime: 30_000 });
}

export function useAccounts() {
  return useQuery({ ...accountsQuery, staleTime: 10_000 });
}

/** How much goes through accounts and bindings, by `account_uid` and `binding_id`. */
export function useTallies() {
  return useQuery({
    queryKey: ['tallies'],
    queryFn: async () => new Map((await take(api.GET('/wunder/admin/channels/tallies'))).items.map((one) => [one.subject, one])),
    staleTime: 5_000,
    // They are counted every 5 s; messages are no events.
    refetchInterval: 10_000,
  });
}

export function useBindings() {
  return useQuery({ queryKey: ['bindings'], queryFn: () => take(api.GET('/wunder/admin/channels/bindings')) });
}

/** Say a name in a language, from what a manifest brings. */
export function localName(name: string, i18n: unknown, locale: string): string {
  const texts = (i18n as Record<string, { name?: string } | undefined> | undefined) ?? {};
  return texts[locale]?.name ?? texts[locale.split('-')[0] ?? '']?.name ?? name;
}

/** Return how a channel is called; its id where nobody serves it any more. */
export function useChannelName(): (channel: string) => string {
  const { i18n } = useTranslation();
  const { data } = useProviders();
  const names = useMemo(
    () => new Map(data?.items.map((one: ProviderView) => [one.channel, localName(one.name, one.i18n, i18n.language)])),
    [data, i18n.language],
  );
  return useCallback((channel) => names.get(channel) ?? channel, [names]);
}

/** Return all channels as choices of a filter. */
export function useChannelChoices(): { value: string; label: string }[] {
  const name = useChannelName();
  const { data } = useProviders();
  return useMemo(() => (data?.items ?? []).map((one) => ({ value: one.channel, label: name(one.channel) })), [data, name]);
}
