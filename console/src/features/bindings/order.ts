// In which order bindings are asked, and which of them can never be reached.
import type { Binding } from '../../api/schema';

const FIELDS = ['channel', 'account_id', 'peer_kind', 'peer_id'] as const;

/** Sort as the gateway asks them: the most exact first, then by priority, then the older. */
export function inOrder(bindings: Binding[]): Binding[] {
  return [...bindings].sort(
    (one, other) =>
      exactness(other) - exactness(one) ||
      (other.priority ?? 0) - (one.priority ?? 0) ||
      (one.created_at ?? 0) - (other.created_at ?? 0),
  );
}

function exactness(binding: Binding): number {
  // The weights of the gateway: a named peer outweighs everything else together.
  return FIELDS.reduce((sum, field, index) => sum + (binding[field] === '*' ? 0 : 1 << index), 0);
}

/** Return the binding that takes everything this one would: the same conversations, asked before it. */
export function shadowOf(binding: Binding, ordered: Binding[]): Binding | undefined {
  if (binding.is_enabled === false) return undefined;
  const before = ordered.slice(0, ordered.findIndex((one) => one.binding_id === binding.binding_id));
  return before.find(
    (one) =>
      one.is_enabled !== false &&
      (!one.owner_user_id || one.owner_user_id === binding.owner_user_id) &&
      FIELDS.every((field) => one[field] === binding[field]),
  );
}

/** Why a binding does not match a question: the first field that differs, or that it is off. */
export function missOf(binding: Binding, question: Record<(typeof FIELDS)[number], string>): 'off' | (typeof FIELDS)[number] | undefined {
  if (binding.is_enabled === false) return 'off';
  return FIELDS.find((field) => binding[field] !== '*' && binding[field] !== question[field]);
}
