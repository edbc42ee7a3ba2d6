// The monitor's overview: figures now, charts of the last hours, what needs a person, what happened.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { usePlugins } from '../../api/lists';
import { monitorQuery } from '../../api/query';
import type { Minute, Monitor } from '../../api/schema';
import { MonitorTabs } from '../../components/MonitorTabs';
import { Card, Page } from '../../components/Page';
import { Sparkline } from '../../components/Sparkline';
import { Empty, Failed, Skeleton } from '../../components/States';
import { count, duration } from '../../i18n/format';
import { AccountIssues } from './AccountIssues';
import { EventFeed } from './EventFeed';
import { outboxFigures } from './figures';
import { useIssues } from './issues';
import { PluginHealth } from './PluginHealth';

// The plot library comes after the figures: they are what is looked at first.
const Chart = lazy(async () => ({ default: (await import('../../components/Chart')).Chart }));

export function OverviewPage() {
  const { t } = useTranslation();
  const monitor = useQuery({
    ...monitorQuery,
    // The stream carries figures; this is for when it is lost.
    refetchInterval: 30_000,
  });
  return (
    <>
      <MonitorTabs />
      <Page title={t('nav.monitor')} bare>
        {monitor.data?.is_draining && <div className="note warn">{t('monitor.draining')}</div>}
        {monitor.data ? (
          <Kpis monitor={monitor.data} />
        ) : monitor.error ? (
          <Card flush>
            <Failed error={monitor.error} retry={() => void monitor.refetch()} />
          </Card>
        ) : (
          <Card flush>
            <Skeleton lines={2} height={22} />
          </Card>
        )}
        <Charts minutes={monitor.data?.minutes ?? []} isLoading={monitor.isPending} />
        <div className="columns">
          <div className="stack">
            <PluginHealth />
            <AccountIssues />
          </div>
          <EventFeed />
        </div>
      </Page>
    </>
  );
}

function Kpis(props: { monitor: Monitor }) {
  const { t, i18n } = useTranslation();
  const { monitor } = props;
  const minutes = monitor.minutes ?? [];
  const last = monitor.last_minute;
  const outbox = outboxFigures(monitor.figures);
  const plugins = usePlugins();
  const ill = (plugins.data?.items ?? []).filter(
    (one) => one.status === 'error' || (one.status === 'enabled' && one.serving === 'plugin' && one.runtime?.state !== 'ready'),
  ).length;
  const issues = useIssues().length;
  const n = (value: number) => count(value, i18n.language);
  const line = (key: 'taken_in' | 'sent' | 'failed' | 'delivery_p95_ms') => minutes.slice(-60).map((one) => one[key] ?? 0);
  return (
    <div className="kpis">
      <Kpi name={t('monitor.in')} value={n(last.taken_in ?? 0)} unit={t('monitor.perMinute')} line={line('taken_in')} to="/trace" search={{ direction: 'in' }} />
      <Kpi name={t('monitor.out')} value={n(last.sent ?? 0)} unit={t('monitor.perMinute')} line={line('sent')} to="/outbox" search={{ state: 'sent' }} />
      <Kpi
        name={t('monitor.p95')}
        value={last.delivery_p95_ms == null ? '–' : duration(last.delivery_p95_ms)}
        line={line('delivery_p95_ms')}
        to="/trace"
      />
      <Kpi
        name={t('monitor.failed')}
        value={n(last.failed ?? 0)}
        unit={t('monitor.perMinute')}
        tone={last.failed ? 'err' : undefined}
        line={line('failed')}
        to="/outbox"
        search={{ state: 'failed' }}
      />
      <Kpi name={t('monitor.open')} value={n(outbox.open)} to="/outbox" search={{ group: 'open' }} />
      <Kpi name={t('monitor.dead')} value={n(outbox.dead)} tone={outbox.dead ? 'err' : undefined} to="/outbox" search={{ group: 'dead' }} />
      <Kpi name={t('monitor.pluginsIll')} value={n(ill)} tone={ill ? 'err' : undefined} to="/plugins" />
      <Kpi name={t('monitor.accountsIll')} value={n(issues)} tone={issues ? 'warn' : undefined} to="/accounts" search={{ issues: '1' }} />
    </div>
  );
}

function Kpi(props: { name: string; value: ReactNode; unit?: string; tone?: 'err' | 'warn'; line?: number[]; to: string; search?: Record<string, string> }) {
  return (
    <Link className={props.tone ? `kpi ${props.tone}` : 'kpi'} to={props.to as '/'} search={(props.search ?? {}) as never}>
      <span className="name">{props.name}</span>
      <span className="value">
        {props.value}
        {props.unit && <small>{props.unit}</small>}
      </span>
      {props.line && props.line.length > 1 && props.line.some((one) => one > 0) && <Sparkline values={props.line} label={props.name} />}
    </Link>
  );
}

function Charts(props: { minutes: Minute[]; isLoading: boolean }) {
  const { t, i18n } = useTranslation();
  const { minutes } = props;
  const times = useMemo(() => minutes.map((one) => one.at), [minutes]);
  const traffic = useMemo(
    () => [
      { label: t('monitor.takenIn'), values: minutes.map((one) => one.taken_in ?? 0) },
      { label: t('monitor.sent'), values: minutes.map((one) => one.sent ?? 0) },
      { label: t('monitor.failures'), values: minutes.map((one) => one.failed ?? 0) },
    ],
    [minutes, t],
  );
  const latency = useMemo(
    () => [
      { label: 'p50', values: minutes.map((one) => one.delivery_p50_ms ?? null) },
      { label: 'p95', values: minutes.map((one) => one.delivery_p95_ms ?? null) },
    ],
    [minutes],
  );
  const body = (chart: ReactNode) =>
    props.isLoading ? (
      <Skeleton lines={6} />
    ) : minutes.length < 2 ? (
      <Empty icon="monitor" text={t('monitor.noMinutes')} hint={t('monitor.noMinutesHint')} />
    ) : (
      <Suspense fallback={<Skeleton lines={6} />}>
        {chart}
      </Suspense>
    );
  return (
    <div className="halves">
      <Card title={t('monitor.throughput')} flush>
        {body(<Chart label={t('monitor.throughput')} times={times} series={traffic} unit={(value) => count(value, i18n.language)} fill top={4} isWhole />)}
      </Card>
      <Card title={t('monitor.latency')} flush>
        {body(<Chart label={t('monitor.latency')} times={times} series={latency} unit={duration} top={10} />)}
      </Card>
    </div>
  );
}
