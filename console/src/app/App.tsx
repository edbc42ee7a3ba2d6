// The page's frame of frames: theme, language of Ant Design's parts, answers, addresses.
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { ConfigProvider } from 'antd';
import type { Locale } from 'antd/es/locale';
import { lazy, StrictMode, Suspense, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { whenSignedOut } from '../api/client';
import { queries } from '../api/query';
import { antdTheme } from '../theme';
import { whoBrings } from './confirmed';
import { router } from './router';
import { lose, SESSION_KEY } from './session';
import { Notices } from './notices';
import { ThemeProvider, useTheme } from './themeContext';

const PasswordAgain = lazy(async () => ({ default: (await import('./PasswordAgain')).PasswordAgain }));

// A call that finds the session over tells the gate, which asks to sign in and goes on.
whenSignedOut(() => queries.setQueryData(SESSION_KEY, lose()));

export function App() {
  return (
    <StrictMode>
      <ThemeProvider>
        <Dressed />
      </ThemeProvider>
    </StrictMode>
  );
}

/** The dialog for the password; its parts are heavy and seldom needed, so they come when they are. */
function AskAgain() {
  const [isWanted, setWanted] = useState(false);
  useEffect(() => whoBrings(() => setWanted(true)), []);
  return isWanted ? (
    <Suspense>
      <PasswordAgain />
    </Suspense>
  ) : null;
}

function Dressed() {
  const { i18n } = useTranslation();
  const { shade, isCalm } = useTheme();
  const [words, setWords] = useState<Locale>();
  useEffect(() => {
    // English is built in.
    if (i18n.language === 'en') setWords(undefined);
    else void import('antd/locale/zh_CN').then((loaded) => setWords(loaded.default));
  }, [i18n.language]);
  return (
    <ConfigProvider theme={antdTheme(shade, isCalm)} locale={words} componentSize="middle" wave={{ disabled: true }} button={{ autoInsertSpace: false }}>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
        <Notices />
        <AskAgain />
      </QueryClientProvider>
    </ConfigProvider>
  );
}
