// How a fault in a field is said.
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';

/** Return how a fault is said: by its code where we know it, else in the words that came with it. */
export function useFaultWords(): (code: string, limit: unknown, fallback?: string) => string {
  const { t, i18n } = useTranslation();
  const isEnglish = i18n.language === 'en';
  return useCallback(
    (code, limit, fallback) => {
      // The gateway's own words are English and more exact than a translation of the code.
      if (isEnglish && fallback) return fallback;
      const exact = limit === undefined ? '' : t(`form.limit.${code}`, { defaultValue: '', limit: String(limit) });
      return exact || t(`form.fault.${code}`, { defaultValue: '' }) || fallback || t('form.fault.other');
    },
    [t, isEnglish],
  );
}
