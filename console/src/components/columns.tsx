// Which columns of a table one wants to see; remembered in this browser, for each person and table.
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSession } from '../app/session';
import type { Column } from './DataTable';
import { Icon } from './Icon';
import { Menu } from './Menu';

/** What somebody chose against what the table shows by itself. */
export type Choice = Record<string, boolean>;

/** Return the columns that are shown: those that always are, and of the others what was chosen. */
export function shownOf<T>(columns: Column<T>[], choice: Choice): Column<T>[] {
  return columns.filter((one) => !one.optional || (choice[one.key] ?? one.optional === 'shown'));
}

/** Read a choice that was kept; what cannot be read chooses nothing. */
export function readChoice(kept: string | null): Choice {
  try {
    const found: unknown = JSON.parse(kept ?? '{}');
    if (typeof found !== 'object' || found === null) return {};
    return Object.fromEntries(Object.entries(found).filter(([, value]) => typeof value === 'boolean'));
  } catch {
    return {};
  }
}

/** Return the columns to show, and the button that chooses them. */
export function useColumns<T>(table: string, columns: Column<T>[]): [Column<T>[], React.ReactNode] {
  const { t } = useTranslation();
  const { user } = useSession();
  const key = `wunder.columns.${user.name}.${table}`;
  const [choice, setChoice] = useState(() => readChoice(localStorage.getItem(key)));
  const keep = (next: Choice) => {
    setChoice(next);
    if (Object.keys(next).length) localStorage.setItem(key, JSON.stringify(next));
    else localStorage.removeItem(key);
  };
  const shown = new Set(shownOf(columns, choice).map((one) => one.key));
  const chooser = (
    <Menu
      label={t('list.columns')}
      items={[
        ...columns
          .filter((one) => one.optional)
          .map((one) => ({
            key: one.key,
            label: one.title,
            checked: shown.has(one.key),
            stays: true,
            run: () => keep({ ...choice, [one.key]: !shown.has(one.key) }),
          })),
        'line' as const,
        { key: 'reset', label: t('list.columnsReset'), run: () => keep({}) },
      ]}
    >
      <Icon name="columns" />
    </Menu>
  );
  return [shownOf(columns, choice), chooser];
}
