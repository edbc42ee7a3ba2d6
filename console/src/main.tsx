// Where the console begins: language and theme first, so that nothing flashes, then the page.
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { takeSetupToken } from './app/setupToken';
import { startLanguage } from './i18n';
import { shadeOf, storedTheme } from './theme';
import './tokens.css';
import './components/ui.css';

document.documentElement.dataset.theme = shadeOf(storedTheme());
takeSetupToken();
await startLanguage();
createRoot(document.getElementById('root') as HTMLElement).render(<App />);
