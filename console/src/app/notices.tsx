// Short words after an action, at the foot of the page; errors stay until they are closed.
import { useEffect, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '../components/Icon';
import { useProblemText } from '../components/States';
import { ApiError } from '../api/client';
import './notices.css';

interface Notice {
  id: number;
  text?: string;
  error?: unknown;
}

let notices: Notice[] = [];
let next = 1;
const watchers = new Set<() => void>();
const STAYS_MS = 4_000;

function show(notice: Omit<Notice, 'id'>): void {
  notices = [...notices.slice(-2), { id: next++, ...notice }];
  for (const watcher of watchers) watcher();
}

function drop(id: number): void {
  notices = notices.filter((one) => one.id !== id);
  for (const watcher of watchers) watcher();
}

/** Say that something was done. */
export function say(text: string): void {
  show({ text });
}

/** Say that something was not done, and why. */
export function complain(error: unknown): void {
  show({ error });
}

export function Notices() {
  const shown = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => notices,
  );
  return (
    <div className="notices" role="status" aria-live="polite">
      {shown.map((one) => (
        <One key={one.id} notice={one} />
      ))}
    </div>
  );
}

function One(props: { notice: Notice }) {
  const { t } = useTranslation();
  const problem = useProblemText();
  const { id, text, error } = props.notice;
  useEffect(() => {
    if (error) return;
    const end = setTimeout(() => drop(id), STAYS_MS);
    return () => clearTimeout(end);
  }, [id, error]);
  return (
    <div className={error ? 'notice err' : 'notice'}>
      <Icon name={error ? 'warning' : 'check'} />
      <span className="grow">
        {error ? problem(error) : text}
        {error instanceof ApiError && error.requestId && (
          <span className="meta">
            {' '}
            {t('problem.requestId')} <code>{error.requestId}</code>
          </span>
        )}
      </span>
      <button type="button" className="icon-button" aria-label={t('do.close')} onClick={() => drop(id)}>
        <Icon name="close" size={14} />
      </button>
    </div>
  );
}
