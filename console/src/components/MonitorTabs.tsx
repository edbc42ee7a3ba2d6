// The tabs of the monitor: overview, plugins, accounts, deliveries, what was set aside.
import { Link, useLocation } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

const TABS = [
  ['/monitor', 'overview'],
  ['/plugins', 'plugins'],
  ['/accounts', 'accounts'],
  ['/outbox', 'outbox'],
  ['/quarantine', 'quarantine'],
] as const;

export function MonitorTabs() {
  const { t } = useTranslation();
  const path = useLocation({ select: (one) => one.pathname });
  return (
    <nav className="tabs" aria-label={t('nav.monitor')}>
      {TABS.map(([to, key]) => (
        <Link key={to} to={to} aria-current={path === to ? 'page' : undefined} activeProps={{}}>
          {t(`tabs.${key}`)}
        </Link>
      ))}
    </nav>
  );
}
