// Sorting a table that is here as a whole: by one column, up or down, and the address remembers which.
import { useMemo } from 'react';
import { useAddress } from '../app/address';

/** A column as far as sorting goes. */
export interface Sortable<T> {
  key: string;
  /** What to sort rows by, where the whole table is here. */
  sort?: (row: T) => number | string;
}

export interface Sorting {
  by: string;
  isDown: boolean;
  /** Sort by a column; by the same one again: the other way, then not at all. */
  choose: (key: string) => void;
}

/** What a press on a heading makes of what stands in the address: largest first, smallest first, none. */
export function nextSort(now: string, key: string): string {
  if (now === `-${key}`) return key;
  return now === key ? '' : `-${key}`;
}

/** Return rows in the order that is asked for; rows that are alike keep theirs. */
export function sorted<T>(rows: T[], columns: Sortable<T>[], asked: string): T[] {
  const isDown = asked.startsWith('-');
  const value = columns.find((one) => one.key === (isDown ? asked.slice(1) : asked))?.sort;
  if (!value) return rows;
  const order = (one: T, other: T) => {
    const [a, b] = [value(one), value(other)];
    const less = typeof a === 'string' || typeof b === 'string' ? String(a).localeCompare(String(b)) : a - b;
    return isDown ? -less : less;
  };
  return [...rows].sort(order);
}

/** Return the rows in order, and how to choose another one. */
export function useSorting<T>(rows: T[], columns: Sortable<T>[]): [T[], Sorting] {
  const [search, change] = useAddress();
  const asked = search.sort ?? '';
  const inOrder = useMemo(() => sorted(rows, columns, asked), [rows, columns, asked]);
  const isDown = asked.startsWith('-');
  return [
    inOrder,
    { by: isDown ? asked.slice(1) : asked, isDown, choose: (key) => change({ sort: nextSort(asked, key) }, { replace: true }) },
  ];
}
