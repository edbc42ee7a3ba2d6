// The groups of a preview, summed up by what deliveries failed of.
import type { ReplayGroup } from '../../api/schema';

export interface CauseCount {
  kind: string;
  count: number;
  accounts: string[];
  plugins: string[];
}

/** Return the causes, the most frequent first. */
export function causesOf(groups: ReplayGroup[]): CauseCount[] {
  const found = new Map<string, CauseCount>();
  for (const one of groups) {
    const cause = found.get(one.error_kind) ?? { kind: one.error_kind, count: 0, accounts: [], plugins: [] };
    cause.count += one.count;
    const account = `${one.channel}/${one.account_id}`;
    if (!cause.accounts.includes(account)) cause.accounts.push(account);
    if (one.plugin_id && !cause.plugins.includes(one.plugin_id)) cause.plugins.push(one.plugin_id);
    found.set(one.error_kind, cause);
  }
  return [...found.values()].sort((one, other) => other.count - one.count);
}
