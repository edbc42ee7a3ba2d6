// Where the console begins: language and theme first, so that nothing flashes, then the page.
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { queries } from './api/query';
import { router } from './app/router';
import { takeReturn } from './app/cameBack';
import { fetchSession, SESSION_KEY } from './app/session';
import { takeSetupToken } from './app/setupToken';
import { startLanguage } from './i18n';
import { shadeOf, storedTheme } from './theme';
import './tokens.css';
import './components/ui.css';

document.documentElement.dataset.theme = shadeOf(storedTheme());
takeSetupToken();
takeReturn();
// Who is signed in is asked while the words are on their way.
void queries.prefetchQuery({ queryKey: SESSION_KEY, queryFn: fetchSession, staleTime: 60_000 });
// The page that was asked for is fetched while the words are on their way, not after them.
void router.load();
// Not awaited here: what comes with the words imports from this file's chunk, and both would wait for each other.
void startLanguage().then(() => createRoot(document.getElementById('root') as HTMLElement).render(<App />));
