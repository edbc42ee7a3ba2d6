// Small things that stand in every list: times, ids, pairs of name and value.
import { useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { duration, moment, relative, shortId } from '../i18n/format';
import { Icon } from './Icon';

let now = Date.now();
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  // One clock for the page: a thousand relative times move together, each ten seconds.
  timer ??= setInterval(() => {
    now = Date.now();
    for (const one of watchers) one();
  }, 10_000);
  return () => {
    watchers.delete(watcher);
    if (!watchers.size) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** Return the present moment (Unix ms), moving each ten seconds. */
export function useNow(): number {
  return useSyncExternalStore(watch, () => now);
}

/** A moment: relative, with date and time on hover. */
export function Time(props: { at: number | null | undefined; absolute?: boolean }) {
  const { i18n } = useTranslation();
  // The tick says when to look at the clock again; by itself it may be ten seconds old, and what happened
  // since would lie in the future.
  useNow();
  if (!props.at) return <span className="muted">–</span>;
  const exact = moment(props.at);
  const shown = relative(props.at, Date.now(), i18n.language);
  return (
    <time dateTime={new Date(props.at).toISOString()} title={exact} className="nowrap">
      {props.absolute ? exact : shown}
    </time>
  );
}

/** A countdown to a moment, each second: "42 s". */
export function Countdown(props: { to: number }) {
  const [left, setLeft] = useState(() => Math.max(0, props.to - Date.now()));
  useEffect(() => {
    const each = setInterval(() => setLeft(Math.max(0, props.to - Date.now())), 1_000);
    return () => clearInterval(each);
  }, [props.to]);
  return <span className="num">{duration(Math.ceil(left / 1_000) * 1_000)}</span>;
}

/** An id in mono type that copies itself. */
export function Id(props: { value: string; full?: boolean; label?: string; children?: ReactNode }) {
  const { t } = useTranslation();
  if (!props.value) return <span className="muted">–</span>;
  const shown = props.full ? props.value : shortId(props.value);
  return (
    <span className="id">
      <code title={props.value}>{props.children ?? shown}</code>
      <CopyButton text={props.value} label={t('do.copyThis', { what: props.label ?? shown })} />
    </span>
  );
}

export function CopyButton(props: { text: string; label: string; word?: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const back = setTimeout(() => setDone(false), 1_500);
    return () => clearTimeout(back);
  }, [done]);
  return (
    <button
      type="button"
      className={props.word ? 'copy worded' : 'copy'}
      aria-label={props.word ? undefined : props.label}
      title={props.label}
      onClick={async (event) => {
        event.stopPropagation();
        await copy(props.text);
        setDone(true);
      }}
    >
      <Icon name={done ? 'check' : 'copy'} size={13} />
      {props.word}
    </button>
  );
}

/** Copy a text; where the page is not on a secure origin the clipboard API is missing. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

/** Names and values, one pair a line. Pairs without a value are left out. */
export function Pairs(props: { of: [string, ReactNode][]; columns?: 1 | 2 }) {
  return (
    <dl className={props.columns === 2 ? 'pairs two' : 'pairs'}>
      {props.of
        .filter(([, value]) => value !== undefined && value !== null && value !== '' && value !== false)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function Json(props: { value: unknown; label: string }) {
  return <Raw text={JSON.stringify(props.value, null, 2)} label={props.label} />;
}

/** Text as it is, to be looked at and copied. */
export function Raw(props: { text: string; label: string }) {
  const { t } = useTranslation();
  return (
    <div className="json">
      <CopyButton text={props.text} label={t('do.copyThis', { what: props.label })} />
      <pre tabIndex={0} aria-label={props.label}>
        {props.text}
      </pre>
    </div>
  );
}
