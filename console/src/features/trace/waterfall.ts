// The steps of a message as bars over time: what worked, what waited, what is still going on.
import type { Step } from '../../api/schema';

export type BarKind = 'work' | 'wait' | 'fail';

export interface Bar {
  key: string;
  /** The step that ended this stretch. */
  step: Step;
  /** What the stretch was: a name of ours, translated as `trace.stretch.<name>`. */
  name: string;
  kind: BarKind;
  /** From the beginning of the trace, ms. */
  start: number;
  length: number;
  /** Nothing has ended it yet. */
  isOpen: boolean;
}

/** What lies between two steps, by the one that ends it. */
const STRETCH: Partial<Record<Step['step'], [name: string, kind: BarKind]>> = {
  parsed: ['parse', 'work'],
  accepted: ['store', 'work'],
  turn_started: ['laneWait', 'wait'],
  answered: ['agent', 'work'],
  not_answered: ['agent', 'work'],
  agent_failed: ['agent', 'fail'],
  queued: ['enqueue', 'work'],
  sending: ['outboxWait', 'wait'],
  sent: ['send', 'work'],
  retried: ['send', 'fail'],
  failed: ['send', 'fail'],
  unknown: ['send', 'fail'],
  expired: ['outboxWait', 'fail'],
  cancelled: ['outboxWait', 'fail'],
  receipt: ['receiptWait', 'wait'],
  replayed: ['rest', 'wait'],
  corrected: ['rest', 'wait'],
  rerouted: ['rest', 'wait'],
};
const CHANNEL_STEPS = new Set(['sending', 'sent', 'retried', 'failed', 'unknown', 'expired', 'cancelled', 'receipt', 'replayed', 'corrected', 'queued']);
/** After these, something is still to come. */
const OPEN_AFTER: Partial<Record<Step['step'], [string, BarKind]>> = {
  received: ['parse', 'work'],
  accepted: ['laneWait', 'wait'],
  rerouted: ['laneWait', 'wait'],
  turn_started: ['agent', 'work'],
  agent_failed: ['laneWait', 'wait'],
  queued: ['outboxWait', 'wait'],
  retried: ['outboxWait', 'wait'],
  replayed: ['outboxWait', 'wait'],
  sending: ['send', 'work'],
};

/** Lay steps out as bars. A delivery's steps follow one another; everything else follows the message. */
export function barsOf(steps: Step[], now: number): { bars: Bar[]; start: number; length: number } {
  const ordered = [...steps].sort((one, other) => one.at - other.at);
  const first = ordered[0]?.at ?? now;
  const bars: Bar[] = [];
  const last = new Map<string, Step>();
  for (const step of ordered) {
    const line = lineOf(step);
    const before = last.get(line) ?? last.get(String(step.detail?.predecessor)) ?? (line ? last.get('') : undefined);
    const stretch = STRETCH[step.step];
    if (before && stretch) {
      bars.push({
        key: `${bars.length}`,
        step,
        name: stretch[0],
        kind: stretch[1],
        start: before.at - first,
        length: step.at - before.at,
        isOpen: false,
      });
    }
    last.set(line, step);
  }
  const hasDeliveries = [...last.keys()].some((line) => line);
  for (const [line, step] of last) {
    const open = OPEN_AFTER[step.step];
    // An answered message goes on in its deliveries.
    if (!open || (!line && hasDeliveries)) continue;
    bars.push({ key: `open-${line}`, step, name: open[0], kind: open[1], start: step.at - first, length: Math.max(0, now - step.at), isOpen: true });
  }
  const end = Math.max(ordered.at(-1)?.at ?? first, ...bars.map((one) => first + one.start + one.length));
  return { bars, start: first, length: Math.max(1, end - first) };
}

function lineOf(step: Step): string {
  return step.delivery_id && CHANNEL_STEPS.has(step.step) ? step.delivery_id : '';
}

/** How it ended, in one word for the head: the worst that is true. */
export function outcomeOf(steps: Step[]): 'sent' | 'open' | 'failed' | 'unknown' | 'no_answer' | 'received' {
  const last = new Map<string, Step['step']>();
  const known = new Set(steps.map(lineOf));
  for (const step of [...steps].sort((one, other) => one.at - other.at)) {
    // How it ended is said by what went out in its place; where that is another message's, it ended as it did.
    if (step.step !== 'corrected') last.set(lineOf(step), step.step);
    else if (known.has(String(step.detail?.successor))) last.delete(lineOf(step));
  }
  const deliveries = [...last].filter(([line]) => line).map(([, step]) => (step === 'receipt' ? 'sent' : step));
  if (deliveries.some((one) => one === 'failed' || one === 'expired')) return 'failed';
  if (deliveries.includes('unknown')) return 'unknown';
  if (deliveries.length && deliveries.every((one) => one === 'sent' || one === 'cancelled')) return 'sent';
  if (deliveries.length) return 'open';
  const own = last.get('');
  if (own === 'not_answered') return 'no_answer';
  return own && OPEN_AFTER[own] ? 'open' : 'received';
}
