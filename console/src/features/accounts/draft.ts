// An account while it is being written: what the gateway has, what was changed, what is sent.
import type { AccessRules, AccountView, DeliverySettings } from '../../api/schema';
import { useDrafted } from '../../forms/drafted';
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

/** Return the draft of an account, or of one that is to be made. */
export function useDraft(account: AccountView | undefined) {
  const drafted = useDrafted(account, draftOf);
  return { ...drafted, config: () => toGateway(drafted.draft.config, drafted.draft.cleared) };
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
