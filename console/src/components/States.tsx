// What stands in the place of content: loading, nothing yet, nothing found, failed, not allowed.
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../api/client';
import { CopyButton } from './Facts';
import { Icon, type IconName } from './Icon';

/** Grey bars in the place of text that is on its way. */
export function Skeleton(props: { lines?: number; height?: number }) {
  const { t } = useTranslation();
  return (
    <div className="skeleton" role="status" aria-label={t('list.loading')}>
      {Array.from({ length: props.lines ?? 5 }, (_, index) => (
        <span key={index} style={{ height: props.height ?? 12, width: `${92 - ((index * 17) % 45)}%` }} />
      ))}
    </div>
  );
}

/** One sentence and the next action. */
export function Empty(props: { icon?: IconName; text: string; hint?: ReactNode; action?: ReactNode }) {
  return (
    <div className="void">
      <Icon name={props.icon ?? 'info'} size={28} />
      <p>{props.text}</p>
      {props.hint && <div className="second">{props.hint}</div>}
      {props.action && <div className="row">{props.action}</div>}
    </div>
  );
}

/** Say an error in the reader's language where we know its code, else as the gateway said it. */
export function useProblemText(): (error: unknown) => string {
  const { t, i18n } = useTranslation();
  return (error) => {
    if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
    const said = error.problem.detail ?? error.problem.title ?? '';
    const known = t(`problem.${error.code}`, { defaultValue: '' }) || t(`refusal.${error.code}`, { defaultValue: '' });
    if (known) return known;
    // What a channel or its platform failed with: our word for it, and what it said itself.
    const fault = t(`fault.${error.code}`, { defaultValue: '' });
    if (fault) return [fault, said.replace(`${error.code}: `, '')].filter(Boolean).join(': ');
    const byStatus = t(`problem.status${error.status}`, { defaultValue: '' });
    const any = byStatus || t('problem.any', { status: error.status });
    // What nobody translated is said in the reader's language first, and then exactly.
    return i18n.language === 'en' ? said || any : `${any} ${said}`.trim();
  };
}

/** Why something could not be shown, with the id that finds it in the log. */
export function Failed(props: { error: unknown; retry?: () => void; compact?: boolean }) {
  const { t } = useTranslation();
  const say = useProblemText();
  const error = props.error instanceof ApiError ? props.error : null;
  if (error?.code === 'not_allowed') return <Forbidden error={error} />;
  const offline = error?.code === 'unreachable';
  return (
    <div className={props.compact ? 'failed compact' : 'failed'} role="alert">
      <Icon name="warning" size={props.compact ? 16 : 22} />
      <div className="grow">
        <p>
          <strong>{offline ? t('problem.unreachable') : t('problem.title')}</strong>
        </p>
        {!offline && <p className="second">{say(props.error)}</p>}
        {error && error.status > 0 && (
          <p className="meta row wrap">
            <span>
              {error.status} · <code>{error.code}</code>
            </span>
            {error.requestId && (
              <span className="row">
                {t('problem.requestId')} <code>{error.requestId}</code>
                <CopyButton text={error.requestId} label={t('do.copyThis', { what: t('problem.requestId') })} />
              </span>
            )}
          </p>
        )}
      </div>
      {props.retry && (
        <button type="button" className="button-link" onClick={props.retry}>
          {t('do.retry')}
        </button>
      )}
    </div>
  );
}

/** The lowest role that has the scope which a refusal names. */
function roleFor(detail: string): string {
  const scope = /`(\w+)`/.exec(detail)?.[1];
  if (!scope) return '';
  return ({ read: 'viewer', operate: 'operator', send: 'operator', own: 'user' } as Record<string, string>)[scope] ?? 'admin';
}

/** The reader's role does not reach: which one would. */
export function Forbidden(props: { error?: ApiError; role?: string }) {
  const { t } = useTranslation();
  const needed = props.role ?? roleFor(props.error?.message ?? '');
  return (
    <div className="void" role="alert">
      <Icon name="lock" size={28} />
      <p>{t('forbidden.title')}</p>
      <div className="second">
        {needed ? t('forbidden.needs', { role: t(`role.${needed}`) }) : t('forbidden.any')}
      </div>
    </div>
  );
}
