// Which channels are offered for a new account.
import type { ProviderView } from '../../api/schema';

/**
 * Leave out a built-in's further ids (those of plugins it can stand in for) where its own is on the list:
 * two cards of one name say nothing about which to take.
 */
export function choices(providers: ProviderView[]): ProviderView[] {
  const channels = new Set(providers.map((one) => one.channel));
  return providers.filter((one) => one.source === 'plugin' || one.channel === one.plugin_id || !channels.has(one.plugin_id));
}
