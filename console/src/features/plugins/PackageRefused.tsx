// Why a package was not taken.
import { useTranslation } from 'react-i18next';
import { ApiError } from '../../api/client';
import { Failed } from '../../components/States';
import { Status } from '../../components/Status';
import { useFaultWords } from '../../forms/words';

/** How the gateway begins where it stumbled over one entry of the zip. */
const ENTRY = /^['"`](.+?)['"`]: /;

/** Which file, which entry of it, and each fault of its manifest. */
export function PackageRefused(props: { name?: string; error: unknown }) {
  const { t, i18n } = useTranslation();
  const words = useFaultWords();
  const isEnglish = i18n.language === 'en';
  const { error } = props;
  const faults = error instanceof ApiError ? error.faults : [];
  // The gateway begins with the entry that it stumbled over; what is wrong with it is said in the reader's language.
  const entry = error instanceof ApiError ? ENTRY.exec(error.problem.detail ?? '')?.[1] : undefined;
  return (
    <div className="stack tight">
      {props.name && <strong>{t('upload.refused', { name: props.name })}</strong>}
      <Failed error={error} compact />
      {entry && (
        <p>
          {t('upload.entry')} <code>{entry}</code>
        </p>
      )}
      {faults.length > 0 && (
        <ul className="checks" aria-label={t('upload.faults')}>
          {faults.map((one) => (
            <li key={one.pointer + one.code}>
              <Status kind="check" state="fail" />
              <code>{one.pointer || one.code}</code>
              <span>
                {words(one.code, undefined, isEnglish ? one.message : undefined)}{' '}
                {!isEnglish && (
                  <span className="second" lang="en">
                    {one.message}
                  </span>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
