// Somebody else saved while the reader was typing: what differs, field by field, and which of the two holds.
import { Button } from 'antd';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../api/client';
import { Icon } from '../components/Icon';
import { Failed } from '../components/States';
import type { Difference } from './differences';
import { fieldOf } from './fields';
import './meanwhile.css';

export interface MeanwhileProps {
  theirs: Difference[];
  /** The schema of what lies under /config. */
  schema: unknown;
  keepMine: () => void;
  takeTheirs: () => void;
}

export function Meanwhile(props: MeanwhileProps) {
  const { t } = useTranslation();
  const name = useNames(props.schema);
  if (!props.theirs.length) return null;
  const isClash = props.theirs.some((one) => one.isClash);
  return (
    <div className="note warn meanwhile" role="alert">
      <Icon name="warning" />
      <div className="stack">
        <div>
          <strong>{t('meanwhile.title')}</strong>
          <div>{isClash ? t('meanwhile.clash') : t('meanwhile.beside')}</div>
        </div>
        <table>
          <thead>
            <tr>
              {(['field', 'before', 'theirs', 'mine'] as const).map((one) => (
                <th key={one} scope="col">
                  {t(`meanwhile.${one}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {props.theirs.map((one) => (
              <tr key={one.pointer} className={one.isClash ? 'clash' : undefined}>
                <th scope="row">{name.field(one.pointer)}</th>
                <td>{name.value(one.pointer, one.before)}</td>
                <td>{name.value(one.pointer, one.theirs)}</td>
                <td>{one.isClash ? name.value(one.pointer, one.mine) : <span className="second">{t('meanwhile.untouched')}</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <div className="row wrap">
          <Button size="small" type="primary" onClick={props.keepMine}>
            {isClash ? t('meanwhile.keepMine') : t('meanwhile.takeIn')}
          </Button>
          <Button size="small" onClick={props.takeTheirs}>
            {t('meanwhile.takeTheirs')}
          </Button>
        </div>
      </div>
    </div>
  );
}

/** Leads from the bar with the buttons to what differs, which may be out of sight. */
export function SeeMeanwhile() {
  const { t } = useTranslation();
  const see = () => document.querySelector('.meanwhile')?.scrollIntoView({ block: 'center' });
  return (
    <button type="button" className="button-link" onClick={see}>
      {t('meanwhile.see')}
    </button>
  );
}

/** Tell whether a call was refused because somebody else saved first. */
export function isStale(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409 && error.code === 'rev';
}

/** Why a form was not saved, where nothing that it shows was changed by somebody else. */
export function NotSaved(props: { error: unknown }) {
  const { t } = useTranslation();
  if (!isStale(props.error)) return <Failed error={props.error} compact />;
  return (
    <div className="note warn" role="alert">
      <Icon name="warning" />
      {t('meanwhile.unseen')}
    </div>
  );
}

/** Where the words for a field lie; fields of a configuration are named by their schema. */
const FIELDS: Record<string, string> = {
  '/displayName': 'account.displayName',
  '/delivery/on_unknown': 'delivery.onUnknown',
  '/delivery/ttl_s': 'delivery.ttl',
  '/isDefault': 'agent.makeDefault',
  '/isForUsers': 'agent.makeForUsers',
};
const VALUES: Record<string, string> = {
  '/access/direct': 'access.directs',
  '/access/groups': 'access.groupsOf',
  '/delivery/on_unknown': 'delivery.unknown',
};

function useNames(schema: unknown) {
  const { t, i18n } = useTranslation();
  return useMemo(() => {
    const inSchema = (pointer: string) => fieldOf(schema, pointer, i18n.language);
    return {
      field: (pointer: string) => {
        if (pointer.startsWith('/config/')) return inSchema(pointer.slice('/config'.length)).title;
        if (isSecret(pointer)) return inSchema(secretOf(pointer)).title;
        return t(FIELDS[pointer] ?? pointer.slice(1).replace('/', '.'), { defaultValue: pointer });
      },
      value: (pointer: string, value: unknown) => {
        if (isSecret(pointer)) return t(value ? 'meanwhile.secretSet' : 'meanwhile.secretNone');
        if (value === undefined || value === null || value === '') return t('meanwhile.empty');
        if (typeof value === 'boolean') return t(value ? 'meanwhile.on' : 'meanwhile.off');
        if (Array.isArray(value)) return value.map(shown).join(', ') || t('meanwhile.empty');
        const known = VALUES[pointer] && t(`${VALUES[pointer]}.${shown(value)}`, { defaultValue: '' });
        return known || (pointer.startsWith('/config/') && inSchema(pointer.slice('/config'.length)).choices.get(value)) || shown(value);
      },
    };
  }, [schema, t, i18n.language]);
}

const isSecret = (pointer: string) => pointer.startsWith('/secrets/');
const secretOf = (pointer: string) => pointer.slice('/secrets/'.length).replaceAll('~1', '/').replaceAll('~0', '~');
const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
