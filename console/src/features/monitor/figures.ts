// The kept counters, summed up to what a person asks: what waits, what is dead.

export const OPEN_STATES = ['pending', 'claimed', 'sending', 'streaming', 'held'] as const;
export const DEAD_STATES = ['failed', 'unknown', 'expired'] as const;
export const STATES = [...OPEN_STATES, 'sent', ...DEAD_STATES, 'cancelled'] as const;

/** Return how many deliveries are in a state. */
export function deliveriesIn(figures: Record<string, number> | undefined, state: string): number {
  return figures?.[`channel_outbox_${state}`] ?? 0;
}

export function outboxFigures(figures: Record<string, unknown> | undefined) {
  const of = (states: readonly string[]) =>
    states.reduce((sum, state) => sum + deliveriesIn(figures as Record<string, number>, state), 0);
  return { open: of(OPEN_STATES), dead: of(DEAD_STATES) };
}
