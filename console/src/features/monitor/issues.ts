// Which accounts need a person, and why: the worst of what is known of each.
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useAccounts, usePlugins, useProviders, useTallies } from '../../api/lists';
import { monitorQuery } from '../../api/query';
import type { AccountView, PluginView, ProviderView, Tally } from '../../api/schema';
import type { Tone } from '../../components/Status';

/**
 * misconfigured: its form is not accepted; unserved: nobody speaks its channel; reauth: the platform refuses its
 * credentials; retrying: calls for it are held after failures; failing: many of its messages did not arrive.
 */
export type IssueKind = 'misconfigured' | 'unserved' | 'reauth' | 'retrying' | 'failing';

export interface Issue {
  account: AccountView;
  kind: IssueKind;
  /** How many deliveries of the last hours did not arrive. */
  failed: number;
  lastAt: number | undefined;
}

export interface Known {
  accounts: AccountView[];
  providers: ProviderView[];
  plugins: PluginView[];
  parked: readonly string[];
  tallies: ReadonlyMap<string, Pick<Tally, 'sent' | 'failed' | 'last_at'>>;
}

/** One in so many that did not arrive makes an account one that fails. */
const FAILING_SHARE = 20;

/** Return what is wrong with which account; one line an account, the worst. */
export function issuesOf(known: Known): Issue[] {
  const serving = new Set(known.providers.filter((one) => one.is_serving).map((one) => one.channel));
  const tripped = new Set(
    known.plugins.flatMap((one) =>
      Object.entries((one.runtime?.breakers ?? {}) as Record<string, string>)
        .filter(([, state]) => state !== 'closed')
        .map(([uid]) => uid),
    ),
  );
  const parked = new Set(known.parked);
  return known.accounts.flatMap((account) => {
    const tally = known.tallies.get(account.account_uid);
    const failed = tally?.failed ?? 0;
    const kindOf = (): IssueKind | undefined => {
      if (account.status === 'draft') return 'misconfigured';
      if (account.status !== 'enabled') return undefined;
      if (known.providers.length && !serving.has(account.channel)) return 'unserved';
      if (parked.has(account.account_uid)) return 'reauth';
      if (tripped.has(account.account_uid)) return 'retrying';
      return failed > 0 && failed * FAILING_SHARE >= (tally?.sent ?? 0) ? 'failing' : undefined;
    };
    const kind = kindOf();
    return kind ? [{ account, kind, failed, lastAt: tally?.last_at }] : [];
  });
}

/**
 * Return which part of what was to be sent did not fail; null where nothing was. What waits has not failed, and
 * what failed may have been asked for before those 24 hours.
 */
export function arrivedOf(tally: Pick<Tally, 'sent' | 'failed'> | undefined): number | null {
  return tally?.sent ? Math.max(0, 1 - tally.failed / tally.sent) : null;
}

/** How bad an issue looks: what goes on by itself is a warning. */
export function toneOfIssue(kind: IssueKind): Tone {
  return kind === 'retrying' || kind === 'failing' ? 'warn' : 'err';
}

/** Return the accounts that need a person now. */
export function useIssues(): Issue[] {
  const accounts = useAccounts();
  const providers = useProviders();
  const plugins = usePlugins();
  const tallies = useTallies();
  const monitor = useQuery({ ...monitorQuery, refetchInterval: 30_000 });
  return useMemo(
    () =>
      issuesOf({
        accounts: accounts.data?.items ?? [],
        providers: providers.data?.items ?? [],
        plugins: plugins.data?.items ?? [],
        parked: monitor.data?.parked_accounts ?? [],
        tallies: tallies.data ?? new Map(),
      }),
    [accounts.data, providers.data, plugins.data, monitor.data?.parked_accounts, tallies.data],
  );
}
