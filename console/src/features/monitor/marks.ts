// What the charts mark: when a plugin's version changed, and when its process was started again.
import { useQuery } from '@tanstack/react-query';
import { api, take } from '../../api/client';
import type { Event } from '../../api/schema';

export type MarkKind = 'version' | 'restart';

export interface EventMark {
  at: number;
  kind: MarkKind;
  event: Event;
}

const CHANGES = new Set(['plugin_enabled', 'plugin_rolled_back', 'plugin_source_set', 'plugin_disabled']);
const STARTS = new Set(['plugin_started']);
/** A new version is started when it is switched to: that is one mark, not two. */
const TOGETHER_MS = 30_000;
const PAGES = 5;

/** Return what is marked since a moment, oldest first. */
export function marksOf(events: readonly Event[], since: number): EventMark[] {
  const changes = events.filter((one) => CHANGES.has(one.name));
  const isOfChange = (start: Event) =>
    changes.some((one) => one.plugin_id === start.plugin_id && Math.abs(one.at - start.at) <= TOGETHER_MS);
  return events
    .filter((one) => one.at >= since && (CHANGES.has(one.name) || (STARTS.has(one.name) && !isOfChange(one))))
    .map((event) => ({ at: event.at, kind: CHANGES.has(event.name) ? ('version' as const) : ('restart' as const), event }))
    .sort((one, other) => one.at - other.at);
}

/** Return the marks since a moment; 0: nothing is drawn yet. */
export function useMarks(since: number): EventMark[] {
  const read = useQuery({ queryKey: ['marks'], enabled: since > 0, queryFn: () => eventsSince(since) });
  return marksOf(read.data ?? [], since);
}

async function eventsSince(since: number): Promise<Event[]> {
  const found: Event[] = [];
  let cursor = '';
  for (let page = 0; page < PAGES; page += 1) {
    const read = await take(
      api.GET('/wunder/admin/channels/events', { params: { query: { limit: 200, ...(cursor ? { cursor } : {}) } } }),
    );
    found.push(...read.items);
    cursor = read.next_cursor ?? '';
    if (!cursor || (read.items.at(-1)?.at ?? 0) < since) break;
  }
  return found;
}
