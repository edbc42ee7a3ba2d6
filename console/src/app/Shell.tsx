// What stands around every page: navigation, search, live state, language, theme, who is signed in.
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useNavigate, useRouter } from '@tanstack/react-router';
import { Suspense, useEffect, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../api/client';
import { live } from '../api/live';
import { setOut } from '../components/arrival';
import { CatchErrors } from '../components/CatchErrors';
import { Icon, type IconName } from '../components/Icon';
import { Menu } from '../components/Menu';
import { BarePage } from '../components/Page';
import { Forbidden, Skeleton } from '../components/States';
import { speak, type Language } from '../i18n';
import { duration } from '../i18n/format';
import { useNow } from '../components/Facts';
import { complain } from './notices';
import { includes, leave, SESSION_KEY, useSession, type Role } from './session';
import './shell.css';
import { useTheme } from './themeContext';
import { mayGo } from './typed';
import { useJump } from './jump';
import { keepFresh } from './keepFresh';
import type { ThemeChoice } from '../theme';

interface Place {
  to: string;
  key: string;
  icon: IconName;
  /** Addresses that belong to this place besides its own. */
  also?: string[];
  needs?: Role;
}

const ADMIN: (Place | 'line')[] = [
  { to: '/monitor', key: 'monitor', icon: 'monitor', also: ['/plugins', '/accounts', '/outbox', '/quarantine'] },
  { to: '/sessions', key: 'sessions', icon: 'session' },
  { to: '/trace', key: 'trace', icon: 'trace' },
  'line',
  { to: '/bindings', key: 'bindings', icon: 'binding' },
  { to: '/agents', key: 'agents', icon: 'agent' },
  'line',
  { to: '/me', key: 'me', icon: 'chat' },
  'line',
  { to: '/audit', key: 'audit', icon: 'audit', needs: 'admin' },
  { to: '/users', key: 'users', icon: 'users', needs: 'admin' },
  { to: '/tokens', key: 'tokens', icon: 'key', needs: 'admin' },
  { to: '/settings', key: 'settings', icon: 'settings' },
];
const USER: Place[] = [
  { to: '/me', key: 'me', icon: 'chat' },
  { to: '/profile', key: 'profile', icon: 'user' },
];

/** A user's own pages; the others would only ask for what is refused. */
function isForUsers(path: string): boolean {
  return path === '/' || USER.some((one) => path === one.to || path.startsWith(`${one.to}/`));
}

/** `isResting`: the session has ended, nothing is followed until it is back. */
export function Shell(props: { isResting?: boolean }) {
  const { t } = useTranslation();
  const { user } = useSession();
  const [isNavOpen, setNavOpen] = useState(false);
  const path = useLocation({ select: (one) => one.pathname });
  const isUser = user.role === 'user';
  const client = useQueryClient();
  const { isResting } = props;
  useEffect(() => {
    if (isResting) return;
    live.start(isUser ? '/wunder/channels/events' : '/wunder/admin/events');
    const stop = keepFresh(client);
    return () => {
      stop();
      live.stop();
    };
  }, [isUser, client, isResting]);
  const router = useRouter();
  useEffect(() => router.subscribe('onBeforeNavigate', (event) => { if (event.fromLocation && event.pathChanged) setOut(); }), [router]);
  useEffect(() => setNavOpen(false), [path]);
  const places = isUser ? USER : ADMIN.filter((one) => one === 'line' || !one.needs || includes(user.role as Role, one.needs));
  return (
    <div className={isNavOpen ? 'shell nav-open' : 'shell'}>
      <a className="skip" href="#main">
        {t('shell.skip')}
      </a>
      <header className="top">
        <button
          type="button"
          className="icon-button nav-button"
          aria-label={t('shell.nav')}
          aria-expanded={isNavOpen}
          onClick={() => setNavOpen(!isNavOpen)}
        >
          <Icon name="menu" />
        </button>
        <Link to="/" className="brand" aria-label="Wunder">
          <img src={`${import.meta.env.BASE_URL}mark.svg`} alt="" width="22" height="22" />
          <span>Wunder</span>
        </Link>
        {isUser ? <span className="grow" /> : <Jump />}
        <LiveDot />
        <LanguageButton />
        <ThemeMenu />
        <PersonMenu />
      </header>
      <nav className="side" aria-label={t('shell.nav')}>
        {places.map((one, index) =>
          one === 'line' ? <hr key={`line-${index}`} /> : <NavLink key={one.key} place={one} path={path} />,
        )}
      </nav>
      <main id="main" tabIndex={-1}>
        <LiveBanner />
        <CatchErrors resetBy={path}>
          <Suspense fallback={<Skeleton lines={6} />}>
            {isUser && !isForUsers(path) ? <BarePage title={t('forbidden.title')}><Forbidden role="viewer" /></BarePage> : <Outlet />}
          </Suspense>
        </CatchErrors>
      </main>
    </div>
  );
}

function NavLink(props: { place: Place; path: string }) {
  const { t } = useTranslation();
  const { place, path } = props;
  const isOn = [place.to, ...(place.also ?? [])].some((one) => path === one || path.startsWith(`${one}/`));
  return (
    <Link to={place.to} className={isOn ? 'on' : undefined} aria-current={isOn ? 'page' : undefined} activeProps={{}}>
      <Icon name={place.icon} />
      {t(`nav.${place.key}`)}
    </Link>
  );
}

/** Search from everywhere: ids jump, other words search messages. */
function Jump() {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const jump = useJump();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.key !== '/' || target.closest('input, textarea, select, [contenteditable]')) return;
      event.preventDefault();
      document.getElementById('jump')?.focus();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <form
      className="jump"
      role="search"
      onSubmit={async (event) => {
        event.preventDefault();
        const word = text.trim();
        // What was typed meanwhile stays.
        if (word && (await jump(word))) setText((now) => (now.trim() === word ? '' : now));
      }}
    >
      <Icon name="search" size={14} />
      <input
        id="jump"
        type="search"
        value={text}
        placeholder={t('shell.search')}
        aria-label={t('shell.search')}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}

function useLive() {
  return useSyncExternalStore(live.watch, live.snapshot);
}

function LiveDot() {
  const { t } = useTranslation();
  const { state } = useLive();
  if (state === 'off') return null;
  return (
    <span className={`live ${state}`} role="status">
      <span aria-hidden="true">●</span>
      {t(`live.${state}`)}
    </span>
  );
}

function LiveBanner() {
  const { t } = useTranslation();
  const { state, since } = useLive();
  const now = useNow();
  // A blink of the network is not worth a banner.
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    if (state !== 'lost') return setShown(false);
    const wait = setTimeout(() => setShown(true), 3_000);
    return () => clearTimeout(wait);
  }, [state, since]);
  if (!isShown) return null;
  return (
    // Not announced: its age moves, and the word in the bar says the same.
    <div className="live-banner">
      <Icon name="warning" size={14} />
      {t('live.banner', { age: duration(Math.max(1_000, now - since)) })}
    </div>
  );
}

export function LanguageButton() {
  const { i18n } = useTranslation();
  const other: Language = i18n.language === 'en' ? 'zh-CN' : 'en';
  return (
    <button type="button" className="text-button" lang={other} onClick={() => speak(other).catch(complain)}>
      {other === 'en' ? 'English' : '中文'}
    </button>
  );
}

export function ThemeMenu() {
  const { t } = useTranslation();
  const { choice, choose } = useTheme();
  const icons: Record<ThemeChoice, IconName> = { system: 'screen', light: 'sun', dark: 'moon' };
  return (
    <Menu
      label={t('theme.title')}
      items={(['system', 'light', 'dark'] as const).map((one) => ({
        key: one,
        label: t(`theme.${one}`),
        checked: choice === one,
        run: () => choose(one),
      }))}
    >
      <Icon name={icons[choice]} />
    </Menu>
  );
}

function PersonMenu() {
  const { t } = useTranslation();
  const { user } = useSession();
  const navigate = useNavigate();
  const client = useQueryClient();
  const name = user.display_name || user.name;
  const signOut = async () => {
    if (!(await mayGo())) return;
    try {
      await take(api.DELETE('/wunder/session'));
    } catch (error) {
      complain(error);
      return;
    }
    live.stop();
    client.clear();
    client.setQueryData(SESSION_KEY, leave());
    await navigate({ to: '/sign-in', ignoreBlocker: true });
  };
  return (
    <Menu
      className="person"
      label={t('shell.person', { name })}
      head={
        <div className="menu-head">
          <strong>{name}</strong>
          <div className="meta">{t(`role.${user.role}`)}</div>
        </div>
      }
      items={[
        { key: 'profile', label: t('nav.profile'), run: () => void navigate({ to: '/profile' }) },
        { key: 'out', label: t('shell.signOut'), run: () => void signOut() },
      ]}
    >
      <span className="face" aria-hidden="true" data-letter={[...name][0]?.toUpperCase()} />
      <span className="truncate">{name}</span>
    </Menu>
  );
}
