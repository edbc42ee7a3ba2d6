// The address holds what a page shows: filters and open panels are plain query parameters.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

export type Search = Record<string, string>;

/** Read a query string without guessing types: everything is text. */
export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

/** Write a query string; empty values are left out. */
export function writeSearch(search: Record<string, unknown>): string {
  const kept = Object.entries(search).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return text ? `?${text}` : '';
}

/** Return the query parameters and how to change some of them; an empty value removes one. */
export function useAddress(): [Search, (changes: Search, options?: { replace?: boolean }) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const change = useCallback(
    (changes: Search, options?: { replace?: boolean }) => {
      void navigate({
        to: '.',
        search: ((old: Search) => clean({ ...old, ...changes })) as never,
        replace: options?.replace ?? false,
      });
    },
    [navigate],
  );
  return [search, change];
}

function clean(search: Search): Search {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== '' && value !== undefined));
}
