// Which language the page speaks: the reader's choice, else the browser's, and only that one is loaded.
import type { Locale } from 'antd/es/locale';
import english from 'antd/locale/en_US';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { setApiLanguage } from '../api/client';
import { fetched, keepFetching } from '../app/fetched';

export type Language = 'zh-CN' | 'en';
const KEY = 'wunder.language';

/** Return the language to begin with. */
export function firstLanguage(kept: string | null, wanted: readonly string[]): Language {
  if (kept === 'zh-CN' || kept === 'en') return kept;
  return wanted[0]?.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
}

/** What Ant Design's own parts say; English is built into them. */
const parts: Partial<Record<Language, Locale>> = { en: english };

/** Return what Ant Design's parts say in a language that was loaded. */
export function partsIn(language: Language): Locale {
  return parts[language] ?? english;
}

/** Load our words and those of Ant Design's parts, so that a page changes as a whole. */
async function words(language: Language) {
  if (language === 'en') return (await import('./en.json')).default;
  const [ours, theirs] = await Promise.all([import('./zh-CN.json'), import('antd/locale/zh_CN')]);
  parts[language] = theirs.default;
  return ours.default;
}

/** Start with one language; resolves when its words are there. */
export async function startLanguage(): Promise<void> {
  const lng = firstLanguage(localStorage.getItem(KEY), navigator.languages);
  await i18next.use(initReactI18next).init({
    lng,
    resources: { [lng]: { translation: await keepFetching(() => words(lng)) } },
    // Keys are flat: a dot is part of the name.
    keySeparator: false,
    nsSeparator: false,
    interpolation: { escapeValue: false },
    returnNull: false,
    react: { useSuspense: false },
  });
  apply(lng);
  // Another tab of the same reader speaks another language now.
  window.addEventListener('storage', (event) => {
    if (event.key === KEY && (event.newValue === 'en' || event.newValue === 'zh-CN')) void speak(event.newValue).catch(() => undefined);
  });
}

/** Speak another language from now on. Raises: ApiError where its words do not come. */
export async function speak(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, 'translation')) {
    i18next.addResourceBundle(language, 'translation', await fetched(() => words(language)));
  }
  localStorage.setItem(KEY, language);
  apply(language);
  await i18next.changeLanguage(language);
}

function apply(language: Language): void {
  document.documentElement.lang = language;
  setApiLanguage(language);
}
