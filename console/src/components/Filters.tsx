// Filters that live in the address: a search box that waits for a pause, choices, clear.
import { Button, Input, Select } from 'antd';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useAddress } from '../app/address';
import { Icon } from './Icon';
import { Empty } from './States';

const PAUSE_MS = 300;

/** A row of filters; `names` are the parameters that "clear" removes. */
export function Filters(props: { names: string[]; children: ReactNode; end?: ReactNode }) {
  const { t } = useTranslation();
  const [search, change] = useAddress();
  const isSet = props.names.some((name) => search[name]);
  return (
    <div className="filters" role="search">
      {props.children}
      {isSet && (
        <Button type="link" size="small" onClick={() => change(Object.fromEntries(props.names.map((n) => [n, ''])))}>
          {t('list.clear')}
        </Button>
      )}
      {props.end && (
        <div className="row" style={{ marginLeft: 'auto' }}>
          {props.end}
        </div>
      )}
    </div>
  );
}

export function SearchFilter(props: { name: string; placeholder: string }) {
  const [search, change] = useAddress();
  const inAddress = search[props.name] ?? '';
  const [text, setText] = useState(inAddress);
  // What was written into the address from here and has not come back yet: on a slow machine more is typed meanwhile.
  const sent = useRef<string[]>([]);
  useEffect(() => {
    const at = sent.current.lastIndexOf(inAddress);
    if (at >= 0) sent.current.splice(0, at + 1);
    else setText(inAddress);
  }, [inAddress]);
  useEffect(() => {
    if (text === inAddress) return;
    const wait = setTimeout(() => {
      sent.current.push(text);
      change({ [props.name]: text }, { replace: true });
    }, PAUSE_MS);
    return () => clearTimeout(wait);
  }, [text, inAddress, change, props.name]);
  return (
    <Input
      className="search"
      allowClear
      prefix={<Icon name="search" size={14} />}
      placeholder={props.placeholder}
      aria-label={props.placeholder}
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  );
}

export function ChoiceFilter(props: {
  name: string;
  label: string;
  options: { value: string; label: ReactNode }[];
  width?: number;
  /** Another parameter that cannot hold at the same time. */
  instead?: string;
}) {
  const [search, change] = useAddress();
  const value = search[props.name];
  return (
    <Select
      allowClear
      showSearch={props.options.length > 8 ? { optionFilterProp: 'label' } : false}
      style={{ minWidth: props.width ?? 140 }}
      aria-label={props.label}
      placeholder={props.label}
      value={value || undefined}
      options={props.options}
      onChange={(chosen?: string) => change({ [props.name]: chosen ?? '', ...(props.instead ? { [props.instead]: '' } : {}) })}
    />
  );
}

/** States as buttons with counts, one or none pressed. */
export function ChipFilter(props: {
  name: string;
  label: string;
  options: { value: string; label: string; count?: number }[];
  /** Another parameter that cannot hold at the same time. */
  instead?: string;
}) {
  const [search, change] = useAddress();
  const value = search[props.name] ?? '';
  return (
    <div className="chips" role="group" aria-label={props.label}>
      {props.options.map((one) => (
        <button
          key={one.value}
          type="button"
          aria-pressed={value === one.value}
          onClick={() => change({ [props.name]: value === one.value ? '' : one.value, ...(props.instead ? { [props.instead]: '' } : {}) })}
        >
          {one.label}
          {one.count !== undefined && one.count > 0 && <span className="badge">{one.count}</span>}
        </button>
      ))}
    </div>
  );
}

const AGO: [string, number][] = [
  ['1h', 3_600_000],
  ['24h', 86_400_000],
  ['7d', 604_800_000],
  ['30d', 2_592_000_000],
];

/** Return the Unix ms that a choice of time means now; undefined for all times. */
export function sinceOf(choice: string | undefined): number | undefined {
  const found = AGO.find(([name]) => name === choice);
  // On whole minutes, so that the same choice is the same question for a while.
  return found ? Math.floor((Date.now() - found[1]) / 60_000) * 60_000 : undefined;
}

export function TimeFilter(props: { name?: string; label?: string }) {
  const { t } = useTranslation();
  return (
    <ChoiceFilter
      name={props.name ?? 'time'}
      label={props.label ?? t('list.time')}
      width={120}
      options={AGO.map(([name]) => ({ value: name, label: t(`list.last.${name}`) }))}
    />
  );
}

/** What an empty list says: nothing yet, or nothing that matches. */
export function NothingHere(props: { names: string[]; text: string; hint?: ReactNode; action?: ReactNode; icon?: React.ComponentProps<typeof Empty>['icon'] }) {
  const { t } = useTranslation();
  const [search, change] = useAddress();
  if (!props.names.some((name) => search[name])) {
    return <Empty text={props.text} hint={props.hint} action={props.action} icon={props.icon} />;
  }
  return (
    <Empty
      icon="search"
      text={t('list.noMatch')}
      action={
        <Button onClick={() => change(Object.fromEntries(props.names.map((n) => [n, ''])))}>{t('list.clear')}</Button>
      }
    />
  );
}
