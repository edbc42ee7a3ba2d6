// An account while it is being written: what the gateway has, what was changed, what is sent.
import { useCallback, useMemo, useState } from 'react';
import type { AccessRules, AccountView, DeliverySettings } from '../../api/schema';
import { fromGateway, toGateway } from '../../forms/secrets';

type Json = Record<string, unknown>;

export interface Draft {
  accountId: string;
  displayName: string;
  config: Json;
  saved: ReadonlySet<string>;
  cleared: ReadonlySet<string>;
  access: AccessRules;
  delivery: DeliverySettings;
  agentId: string;
}

export function draftOf(account: AccountView | undefined): Draft {
  const { value, saved } = fromGateway(account?.provider_config);
  return {
    accountId: account?.account_id ?? '',
    displayName: account?.display_name ?? '',
    config: value,
    saved,
    cleared: new Set(),
    access: account?.access ?? {},
    delivery: account?.delivery ?? {},
    agentId: '',
  };
}

/** Return a draft, how to change it, and whether it differs from what it began with. */
export function useDraft(account: AccountView | undefined) {
  const first = useMemo(() => draftOf(account), [account]);
  const [seen, setSeen] = useState(first);
  const [base, setBase] = useState(first);
  const [draft, setDraft] = useState(first);
  // Another revision from the gateway takes over as long as nothing was typed.
  if (first !== seen) {
    setSeen(first);
    setBase(first);
    if (isSame(draft, base)) setDraft(first);
  }
  const change = useCallback((changes: Partial<Draft>) => setDraft((old) => ({ ...old, ...changes })), []);
  const fill = useCallback((config: Json, isByHand: boolean) => {
    setDraft((old) => ({ ...old, config }));
    // Defaults that the form fills in are where one begins.
    if (!isByHand) setBase((old) => ({ ...old, config }));
  }, []);
  const reset = useCallback(() => setDraft(base), [base]);
  return { draft, change, fill, reset, isChanged: !isSame(draft, base), config: () => toGateway(draft.config, draft.cleared) };
}

/** Tell whether two drafts would be sent alike. */
export function isSame(one: Draft, other: Draft): boolean {
  const plain = ({ saved: _saved, cleared, ...rest }: Draft) => JSON.stringify([sorted(rest), [...cleared].sort()]);
  return plain(one) === plain(other);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, part]) => [name, sorted(part)]),
  );
}

/** Propose an account id from a name: what the gateway takes, and not one that is there already. */
export function proposeId(name: string, channel: string, taken: ReadonlySet<string>): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  const first = plain || channel;
  for (let count = 1; count < 1_000; count++) {
    const id = count === 1 ? first : `${first}-${count}`;
    if (!taken.has(id)) return id;
  }
  return first;
}
