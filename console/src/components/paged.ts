// Cursor-paged lists whose rows do not jump: what is new waits behind "3 new, show".
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { live, type LiveEvent } from '../api/live';

export interface Page<T> {
  items: T[];
  next_cursor?: string;
}

export interface Paged<T> {
  rows: T[];
  isLoading: boolean;
  isFetching: boolean;
  error: Error | null;
  hasMore: boolean;
  loadMore: () => void;
  isLoadingMore: boolean;
  /** How many rows have come since the list was read. */
  fresh: number;
  showFresh: () => void;
  reload: () => void;
}

export interface PagedOptions<T> {
  key: readonly unknown[];
  fetch: (cursor: string, signal: AbortSignal) => Promise<Page<T>>;
  id: (row: T) => string;
  /** Which live events may change this list; absent: it is read again only on demand. */
  follows?: (event: LiveEvent) => boolean;
  enabled?: boolean;
  /** Read again so often even without events, ms. */
  every?: number;
}

const CALM_MS = 1_000;
/** So many rows make a page worth showing, and so often is the gateway asked to look on for them. */
const WORTH_SHOWING = 25;
const MAX_LOOKS = 12;

/**
 * Read until there is something to show. A page may hold few rows or none although there are more: the
 * gateway looks for 20 ms and says where to go on (ADR 0083).
 */
export async function lookOn<T>(
  fetch: (cursor: string, signal: AbortSignal) => Promise<Page<T>>,
  cursor: string,
  signal: AbortSignal,
): Promise<Page<T>> {
  const items: T[] = [];
  let next = cursor;
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const page = await fetch(next, signal);
    items.push(...page.items);
    next = page.next_cursor ?? '';
    if (!next || items.length >= WORTH_SHOWING) break;
  }
  return { items, next_cursor: next };
}

/** Merge what was just read into what is shown: known rows change in place, new ones are counted. */
export function mergeRows<T>(shown: T[], latest: T[], id: (row: T) => string) {
  const newest = new Map(latest.map((row) => [id(row), row]));
  const known = new Set(shown.map(id));
  return {
    rows: shown.map((row) => newest.get(id(row)) ?? row),
    fresh: latest.filter((row) => !known.has(id(row))).length,
  };
}

/** Call `act` after events that `follows` wants, at most once a second. */
export function useFollow(follows: ((event: LiveEvent) => boolean) | undefined, act: () => void): void {
  const latest = useRef({ follows, act });
  latest.current = { follows, act };
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = live.listen((event) => {
      if (timer || !latest.current.follows?.(event)) return;
      timer = setTimeout(() => {
        timer = undefined;
        latest.current.act();
      }, CALM_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, []);
}

export function usePaged<T>(options: PagedOptions<T>): Paged<T> {
  const client = useQueryClient();
  const { key, fetch, id } = options;
  const enabled = options.enabled ?? true;
  const list = useInfiniteQuery({
    queryKey: [...key, 'pages'],
    queryFn: ({ pageParam, signal }) => lookOn(fetch, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (page: Page<T>) => page.next_cursor || undefined,
    enabled,
    staleTime: 10_000,
    // The head is looked at on its own; reading ten pages again because of a glance would be waste.
    refetchOnWindowFocus: false,
  });
  const head = useQuery({
    queryKey: [...key, 'head'],
    queryFn: ({ signal }) => fetch('', signal),
    enabled: enabled && list.isSuccess,
    initialData: () => list.data?.pages[0],
    initialDataUpdatedAt: list.dataUpdatedAt,
    staleTime: 10_000,
    refetchInterval: options.every ?? false,
  });
  const look = useCallback(() => void head.refetch(), [head.refetch]);
  useFollow(enabled ? options.follows : undefined, look);

  const loaded = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const isHeadNewer = head.dataUpdatedAt > list.dataUpdatedAt;
  const merged = useMemo(
    () =>
      isHeadNewer && head.data ? mergeRows(loaded, head.data.items, id) : { rows: loaded, fresh: 0 },
    [loaded, head.data, isHeadNewer, id],
  );
  const reload = useCallback(() => void client.resetQueries({ queryKey: key }), [client, key]);
  const showFresh = useCallback(() => {
    // Only the head is read again; older pages are loaded again by the reader who wants them.
    client.setQueryData([...key, 'pages'], (old: typeof list.data) =>
      head.data ? { pages: [head.data], pageParams: [''] } : old,
    );
  }, [client, key, head.data, list.data]);

  // An empty list has no rows that could jump: what comes is shown at once.
  const isFirst = loaded.length === 0 && merged.fresh > 0;
  return {
    rows: isFirst ? (head.data?.items ?? []) : merged.rows,
    fresh: isFirst ? 0 : merged.fresh,
    isLoading: list.isPending && enabled,
    isFetching: list.isFetching && !list.isPending,
    error: list.error,
    hasMore: list.hasNextPage,
    loadMore: () => void list.fetchNextPage(),
    isLoadingMore: list.isFetchingNextPage,
    showFresh,
    reload,
  };
}
