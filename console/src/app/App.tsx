// The page's frame of frames: theme, language, answers, addresses.
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode, Suspense, useEffect, useState } from 'react';
import { whenSignedOut } from '../api/client';
import { queries } from '../api/query';
import { whoBrings } from './confirmed';
import { Dressed } from './Dressed';
import { lazily } from './fetched';
import { router } from './router';
import { fetchSession, lose, SESSION_KEY, whenElsewhere } from './session';
import { Notices } from './notices';
import { ThemeProvider } from './themeContext';

const PasswordAgain = lazily(async () => (await import('./PasswordAgain')).PasswordAgain);

// A call that finds the session over tells the gate, which asks to sign in and goes on.
whenSignedOut(() => queries.setQueryData(SESSION_KEY, lose()));
whenElsewhere(async () => {
  const session = await fetchSession().catch(() => undefined);
  if (session !== undefined) queries.setQueryData(SESSION_KEY, session);
});

export function App() {
  return (
    <StrictMode>
      <ThemeProvider>
        <Dressed>
          <QueryClientProvider client={queries}>
            <RouterProvider router={router} />
            <Notices />
            <AskAgain />
          </QueryClientProvider>
        </Dressed>
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
