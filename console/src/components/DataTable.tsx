// A dense table for lists: rows open by click or Enter, arrows move, states stand in the table's place.
import { Button } from 'antd';
import type { KeyboardEvent, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Paged } from './paged';
import type { Sortable, Sorting } from './sorting';
import { Empty, Failed, Skeleton } from './States';

export interface Column<T> extends Sortable<T> {
  title: ReactNode;
  cell: (row: T) => ReactNode;
  /** A number column: right-aligned, figures of one width. */
  num?: boolean;
  width?: number | string;
  /** May be hidden; `hidden`: is so until somebody wants it. Its title is plain text then. */
  optional?: 'shown' | 'hidden';
}

export interface TableProps<T> {
  label: string;
  rows: T[];
  columns: Column<T>[];
  id: (row: T) => string;
  open?: (row: T) => void;
  current?: string;
  selection?: { chosen: ReadonlySet<string>; change: (chosen: Set<string>) => void };
  sorting?: Sorting;
}

export function DataTable<T>(props: TableProps<T>) {
  const { t } = useTranslation();
  const { rows, columns, id, open, selection } = props;
  const all = rows.length > 0 && rows.every((row) => selection?.chosen.has(id(row)));
  return (
    <div className="table-wrap" tabIndex={0} role="region" aria-label={props.label}>
      <table className="list">
        <caption className="visually-hidden">{props.label}</caption>
        <thead>
          <tr>
            {selection && (
              <th className="tick" scope="col">
                <input
                  type="checkbox"
                  aria-label={t('list.chooseAll')}
                  checked={all}
                  onChange={() => selection.change(new Set(all ? [] : rows.map(id)))}
                />
              </th>
            )}
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                className={column.num ? 'num' : undefined}
                style={{ width: column.width }}
                aria-sort={column.sort && props.sorting?.by === column.key ? (props.sorting.isDown ? 'descending' : 'ascending') : undefined}
              >
                {column.sort && props.sorting ? <SortButton column={column} sorting={props.sorting} /> : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const key = id(row);
            return (
              <tr
                key={key}
                className={[open && 'opens', key === props.current && 'on'].filter(Boolean).join(' ') || undefined}
                tabIndex={open ? 0 : undefined}
                aria-current={key === props.current ? 'true' : undefined}
                onClick={open && ((event) => !isControl(event.target) && open(row))}
                onKeyDown={open && ((event) => onKey(event, () => open(row)))}
              >
                {selection && (
                  <td className="tick">
                    <input
                      type="checkbox"
                      aria-label={t('list.choose', { what: key })}
                      checked={selection.chosen.has(key)}
                      onChange={() => {
                        const next = new Set(selection.chosen);
                        if (!next.delete(key)) next.add(key);
                        selection.change(next);
                      }}
                    />
                  </td>
                )}
                {columns.map((column) => (
                  <td key={column.key} className={column.num ? 'num' : undefined}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function SortButton<T>(props: { column: Column<T>; sorting: Sorting }) {
  const { column, sorting } = props;
  const isOn = sorting.by === column.key;
  return (
    <button type="button" className={isOn ? 'sort on' : 'sort'} onClick={() => sorting.choose(column.key)}>
      {column.title}
      <span aria-hidden="true">{isOn ? (sorting.isDown ? '↓' : '↑') : '↕'}</span>
    </button>
  );
}

/** A table of a paged list with everything around it: states, "3 new, show", load more. */
export function PagedTable<T>(
  props: Omit<TableProps<T>, 'rows'> & { list: Paged<T>; empty: ReactNode },
) {
  const { t } = useTranslation();
  const { list, empty, ...table } = props;
  if (list.isLoading) return <Skeleton lines={8} />;
  if (list.error && list.rows.length === 0) return <Failed error={list.error} retry={list.reload} />;
  return (
    <div style={{ position: 'relative' }}>
      {list.isFetching && <span className="bar-thin" aria-hidden="true" />}
      {list.error && <Failed error={list.error} retry={list.reload} compact />}
      {list.fresh > 0 && (
        <button type="button" className="news" onClick={list.showFresh} aria-live="polite">
          {t('list.fresh', { count: list.fresh })}
        </button>
      )}
      {list.rows.length > 0 ? <DataTable {...table} rows={list.rows} /> : list.hasMore ? <NothingYet list={list} /> : empty}
      {list.rows.length > 0 && (
        <div className="list-foot">
          <span>{list.hasMore ? t('list.shownMore', { count: list.rows.length }) : t('list.shownAll', { count: list.rows.length })}</span>
          {list.hasMore && (
            <Button size="small" loading={list.isLoadingMore} onClick={list.loadMore}>
              {t('list.more')}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

/** Nothing among what was looked through so far, and there is more. */
function NothingYet<T>(props: { list: Paged<T> }) {
  const { t } = useTranslation();
  return (
    <Empty
      icon="search"
      text={t('list.nothingYet')}
      action={
        <Button loading={props.list.isLoadingMore} onClick={props.list.loadMore}>
          {t('list.lookOn')}
        </Button>
      }
    />
  );
}

function isControl(target: EventTarget): boolean {
  return target instanceof Element && target.closest('a, button, input, label, [role="menu"]') !== null;
}

function onKey(event: KeyboardEvent<HTMLTableRowElement>, open: () => void): void {
  const row = event.currentTarget;
  if (event.target !== row) return;
  if (event.key === 'Enter') open();
  else if (event.key === 'ArrowDown') (row.nextElementSibling as HTMLElement | null)?.focus();
  else if (event.key === 'ArrowUp') (row.previousElementSibling as HTMLElement | null)?.focus();
  else return;
  event.preventDefault();
}
