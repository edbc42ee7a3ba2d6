// Which deliveries may go out with another text, and what a corrected text still lacks.
import type { StoredDelivery } from '../../api/schema';

const CORRECTABLE: readonly string[] = ['failed', 'expired', 'unknown', 'cancelled'];

/** Over, not arrived as far as is known, and not corrected before: that one's successor is corrected then. */
export function mayBeCorrected(one: Pick<StoredDelivery, 'state' | 'successor_id'>): boolean {
  return CORRECTABLE.includes(one.state) && !one.successor_id;
}

/** People may get both texts: the outcome is not known, or parts of a long text went out. */
export function mayArriveTwice(one: Pick<StoredDelivery, 'state' | 'part'>): boolean {
  return one.state === 'unknown' || one.part > 0;
}

/** Why it cannot go yet. Unchanged it is replayed instead, but for what was cancelled: that is not replayed. */
export function lackOf(text: string, old: string, state: string): 'empty' | 'unchanged' | null {
  if (!text.trim()) return 'empty';
  return text === old && state !== 'cancelled' ? 'unchanged' : null;
}
