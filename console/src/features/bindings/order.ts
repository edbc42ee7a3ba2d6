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

/** How exact a binding is: only equally exact ones change places, whatever their priorities. */
export function exactness(binding: Binding): number {
  // The weights of the gateway: a named peer outweighs everything else together.
  return FIELDS.reduce((sum, field, index) => sum + (binding[field] === '*' ? 0 : 1 << index), 0);
}

/** The largest priority that the gateway takes, either way. */
const MAX_PRIORITY = 1_000_000;

export interface NewPriority {
  binding: Binding;
  priority: number;
}

/**
 * Return the priorities that put one of equally exact bindings at another place: one alone where there is room
 * between its new neighbours, else all of them anew.
 */
export function moved(equals: Binding[], from: number, to: number): NewPriority[] {
  const next = [...equals];
  const [one] = next.splice(from, 1);
  if (!one || from === to || to < 0 || to >= equals.length) return [];
  next.splice(to, 0, one);
  const [above, below] = [next[to - 1]?.priority ?? 0, next[to + 1]?.priority ?? 0];
  const priority = to === 0 ? below + 1 : to === next.length - 1 ? above - 1 : Math.floor((above + below) / 2);
  const fits = (to === 0 || priority < above) && (to === next.length - 1 || priority > below);
  if (fits && Math.abs(priority) <= MAX_PRIORITY) return [{ binding: one, priority }];
  return next
    .map((binding, place) => ({ binding, priority: (next.length - place) * 10 }))
    .filter((change) => change.priority !== (change.binding.priority ?? 0));
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
