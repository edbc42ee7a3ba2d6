// What an event makes old: pages in sight are read again, the others when they are next opened.
import type { QueryClient } from '@tanstack/react-query';
import { live, type LiveEvent } from '../api/live';
import type { Figures, Monitor } from '../api/schema';
import { SESSION_KEY } from './session';

const CALM_MS = 800;
/** How many minutes the charts show. */
const MAX_MINUTES = 720;

/** Which kept answers each topic touches; long lists follow by themselves (see components/paged). */
const TOUCHES: Record<string, string[]> = {
  plugin: ['plugins', 'plugin', 'providers', 'own-providers', 'marks'],
  provider: ['providers', 'plugins', 'plugin', 'own-providers'],
  account: ['accounts', 'account', 'own-accounts', 'own-log', 'pairings'],
  agent: ['agents', 'agent'],
  binding: ['bindings', 'own-bindings'],
  delivery: ['delivery', 'trail', 'chat'],
  people: ['users'],
  // Messages are no events of their own: figures that moved say that some came or went.
  figures: ['trail', 'chat', 'delivery'],
};

export function touched(event: LiveEvent): string[] {
  return TOUCHES[event.type] ?? [];
}

/** Put what the stream says about the figures into what the monitor shows. */
export function withFigures(shown: Monitor, said: Figures): Monitor {
  const minutes = shown.minutes ?? [];
  const last = said.last_minute;
  const isNew = last.at > (minutes.at(-1)?.at ?? 0);
  return {
    ...shown,
    figures: said.figures as Monitor['figures'],
    last_minute: last,
    minutes: isNew ? [...minutes, last].slice(-MAX_MINUTES) : minutes,
  };
}

/** Follow the stream and mark what it makes old, at most once in a while. Returns how to stop. */
export function keepFresh(client: QueryClient): () => void {
  let waiting = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const everything = () =>
    void client.invalidateQueries({ predicate: (one) => one.queryKey[0] !== SESSION_KEY[0] });
  const stop = live.listen((event) => {
    if (event.type === 'reset') everything();
    if (event.type === 'bye') void client.invalidateQueries({ queryKey: SESSION_KEY });
    if (event.type === 'figures') {
      client.setQueryData<Monitor>(['monitor'], (old) => old && withFigures(old, event.body as unknown as Figures));
    }
    for (const key of touched(event)) waiting.add(key);
    if (!waiting.size || timer) return;
    timer = setTimeout(() => {
      const keys = waiting;
      waiting = new Set();
      timer = undefined;
      for (const key of keys) void client.invalidateQueries({ queryKey: [key] });
    }, CALM_MS);
  });
  let wasLost = false;
  const unwatch = live.watch(() => {
    const { state } = live.snapshot();
    // After a gap nothing is sure any more, also what is no event.
    if (state === 'live' && wasLost) everything();
    wasLost = state === 'lost' || (wasLost && state !== 'live');
  });
  return () => {
    stop();
    unwatch();
    clearTimeout(timer);
  };
}
