// Every address of the console. Pages are loaded when they are first opened.
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { accountsQuery, monitorQuery, queries } from '../api/query';
import { HomePage } from '../features/welcome/Home';
import { parseSearch, writeSearch } from './address';
import { fetched } from './fetched';
import { NotLoaded } from './NotLoaded';
import { fetchSession, maySignedIn, SESSION_KEY } from './session';
import { Gate } from './Gate';
import { NotFound } from './NotFound';

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: lazyRouteComponent(() => fetched(() => import('../features/auth/SignIn')), 'SignInPage'),
});
const setUp = createRoute({
  getParentRoute: () => root,
  path: '/set-up',
  component: lazyRouteComponent(() => fetched(() => import('../features/auth/SetUp')), 'SetUpPage'),
});

/** Everything for signed-in people. */
const inside = createRoute({ getParentRoute: () => root, id: 'in', component: Gate });

function page<const P extends string>(path: P, load: () => Promise<object>, name: string, ahead?: () => void) {
  return createRoute({
    getParentRoute: () => inside,
    path,
    // Its first question is asked while the page itself is on its way.
    loader: () => {
      if (maySignedIn()) ahead?.();
    },
    component: lazyRouteComponent(() => fetched(load as () => Promise<Record<string, () => ReactNode>>), name),
  });
}

const overview = () => import('../features/monitor/Overview');

/** Where most administrators go on to: fetched while it is asked whether they are new. */
async function aheadOfHome(): Promise<void> {
  const session = await queries.ensureQueryData({ queryKey: SESSION_KEY, queryFn: fetchSession }).catch(() => null);
  if (!session || session.user.role === 'user') return;
  void queries.prefetchQuery(accountsQuery);
  void queries.prefetchQuery(monitorQuery);
  // One that does not come now is asked for again when it is wanted.
  await overview().catch(() => undefined);
}

const home = createRoute({
  getParentRoute: () => inside,
  path: '/',
  loader: () => {
    if (maySignedIn()) void aheadOfHome();
  },
  component: HomePage,
});

const pages = [
  // A tuple, so that links are checked against these very addresses.
  home,
  page('/welcome', () => import('../features/welcome/Welcome'), 'WelcomePage'),
  page('/monitor', overview, 'OverviewPage', () => void queries.prefetchQuery(monitorQuery)),
  page('/plugins', () => import('../features/plugins/Plugins'), 'PluginsPage'),
  page('/plugins/upload', () => import('../features/plugins/Upload'), 'UploadPage'),
  page('/plugins/$pluginId', () => import('../features/plugins/Plugin'), 'PluginPage'),
  page('/accounts', () => import('../features/accounts/Accounts'), 'AccountsPage'),
  page('/accounts/new', () => import('../features/accounts/NewAccount'), 'NewAccountPage'),
  page('/accounts/$channel/$accountId', () => import('../features/accounts/Account'), 'AccountPage'),
  page('/outbox', () => import('../features/outbox/Outbox'), 'OutboxPage'),
  page('/quarantine', () => import('../features/quarantine/Quarantine'), 'QuarantinePage'),
  page('/bindings', () => import('../features/bindings/Bindings'), 'BindingsPage'),
  page('/agents', () => import('../features/agents/Agents'), 'AgentsPage'),
  page('/agents/$agentId', () => import('../features/agents/Agent'), 'AgentPage'),
  page('/sessions', () => import('../features/sessions/Sessions'), 'SessionsPage'),
  page('/trace', () => import('../features/trace/Find'), 'FindPage'),
  page('/trace/$messageId', () => import('../features/trace/Trace'), 'TracePage'),
  page('/audit', () => import('../features/audit/Audit'), 'AuditPage'),
  page('/users', () => import('../features/users/Users'), 'UsersPage'),
  page('/tokens', () => import('../features/tokens/Tokens'), 'TokensPage'),
  page('/settings', () => import('../features/settings/Settings'), 'SettingsPage'),
  page('/me', () => import('../features/me/Mine'), 'MinePage'),
  page('/me/connect/$channel', () => import('../features/me/Connect'), 'ConnectPage'),
  page('/me/accounts/$channel/$accountId', () => import('../features/me/MyAccount'), 'MyAccountPage'),
  page('/profile', () => import('../features/settings/Profile'), 'ProfilePage'),
] as const;


export const router = createRouter({
  routeTree: root.addChildren([signIn, setUp, inside.addChildren(pages)]),
  basepath: '/console',
  parseSearch,
  stringifySearch: writeSearch,
  defaultPreload: 'intent',
  defaultErrorComponent: NotLoaded,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
