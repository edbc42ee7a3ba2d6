// The monitor's overview: figures now, charts of the last hours, what needs a person, what happened.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Segmented } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { usePlugins } from '../../api/lists';
import { monitorQuery } from '../../api/query';
import type { Monitor } from '../../api/schema';
import { useAddress } from '../../app/address';
import { MonitorTabs } from '../../components/MonitorTabs';
import { Card, Page } from '../../components/Page';
import { Sparkline } from '../../components/Sparkline';
import { Failed, Skeleton } from '../../components/States';
import { count, duration, moment, percent } from '../../i18n/format';
import { AccountIssues } from './AccountIssues';
import { Charts } from './Charts';
import { EventFeed } from './EventFeed';
import { outboxFigures } from './figures';
import { changeOf, comparisonOf, differenceOf, pointsOf, successOf, type Against, type Change, type Comparison } from './hours';
import { useIssues } from './issues';
import { PluginHealth } from './PluginHealth';

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
          <Figures monitor={monitor.data} />
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

function Figures(props: { monitor: Monitor }) {
  const { t } = useTranslation();
  const [search, change] = useAddress();
  const against: Against = search.against === 'day' ? 'day' : 'hour';
  const compared = comparisonOf(props.monitor, against);
  return (
    <>
      <div className="row end">
        {!compared.before && (
          <span className="meta" role="status">
            {compared.from ? t('monitor.comparedFrom', { at: moment(compared.from) }) : t('monitor.comparedNever')}
          </span>
        )}
        <span className="second" aria-hidden="true">
          {t('monitor.compare')}
        </span>
        <Segmented
          size="small"
          aria-label={t('monitor.compare')}
          value={against}
          options={(['hour', 'day'] as const).map((one) => ({ value: one, label: t(`monitor.compare.${one}`) }))}
          onChange={(next: string) => change({ against: next === 'hour' ? '' : next }, { replace: true })}
        />
      </div>
      <Kpis monitor={props.monitor} against={against} compared={compared} />
    </>
  );
}

function Kpis(props: { monitor: Monitor; against: Against; compared: Comparison }) {
  const { t, i18n } = useTranslation();
  const { monitor, against } = props;
  const minutes = monitor.minutes ?? [];
  const last = monitor.last_minute;
  const hour = monitor.last_hour;
  const { before, then } = props.compared;
  const outbox = outboxFigures(monitor.figures);
  const plugins = usePlugins();
  const ill = (plugins.data?.items ?? []).filter(
    (one) => one.status === 'error' || (one.status === 'enabled' && one.serving === 'plugin' && one.runtime?.state !== 'ready'),
  ).length;
  const issues = useIssues().length;
  const n = (value: number) => count(value, i18n.language);
  const line = (key: 'taken_in' | 'sent' | 'delivery_p95_ms' | 'waiting' | 'dead') => minutes.slice(-60).map((one) => one[key] ?? 0);
  const success = successOf(hour);
  const was = successOf(before);
  // Both moments are the gateway's own: the reader's clock may be another.
  const oldest = outbox.open > 0 && monitor.due_since != null ? hour.at - monitor.due_since : null;
  return (
    <div className="kpis">
      <Kpi
        name={t('monitor.in')}
        value={n(last.taken_in ?? 0)}
        unit={t('monitor.perMinute')}
        against={against}
        change={changeOf(hour.taken_in, before?.taken_in)}
        line={line('taken_in')}
        to="/trace"
        search={{ direction: 'in' }}
      />
      <Kpi
        name={t('monitor.out')}
        value={n(last.sent ?? 0)}
        unit={t('monitor.perMinute')}
        against={against}
        change={changeOf(hour.sent, before?.sent)}
        line={line('sent')}
        to="/outbox"
        search={{ state: 'sent' }}
      />
      <Kpi
        name={t('monitor.p95')}
        value={last.delivery_p95_ms == null ? '–' : duration(last.delivery_p95_ms)}
        against={against}
        change={changeOf(hour.delivery_p95_ms, before?.delivery_p95_ms)}
        line={line('delivery_p95_ms')}
        to="/trace"
      />
      <Kpi
        name={t('monitor.success')}
        value={success === null ? '–' : percent(success)}
        tone={success !== null && success < 0.95 ? 'err' : undefined}
        note={success === null ? t('monitor.noneEnded') : t('monitor.ofEnded', { what: n((hour.sent ?? 0) + (hour.failed ?? 0)) })}
        against={against}
        change={pointsOf(success, was)}
        to="/outbox"
        search={{ group: 'dead', time: '1h' }}
      />
      <Kpi
        name={t('monitor.open')}
        value={n(outbox.open)}
        note={oldest === null ? undefined : t('monitor.oldest', { age: duration(oldest) })}
        against={against}
        change={differenceOf(outbox.open, then?.waiting)}
        line={line('waiting')}
        to="/outbox"
        search={{ group: 'open' }}
      />
      <Kpi
        name={t('monitor.dead')}
        value={n(outbox.dead)}
        tone={outbox.dead ? 'err' : undefined}
        against={against}
        change={differenceOf(outbox.dead, then?.dead)}
        line={line('dead')}
        to="/outbox"
        search={{ group: 'dead' }}
      />
      <Kpi name={t('monitor.pluginsIll')} value={n(ill)} tone={ill ? 'err' : undefined} to="/plugins" />
      <Kpi name={t('monitor.accountsIll')} value={n(issues)} tone={issues ? 'warn' : undefined} to="/accounts" search={{ issues: '1' }} />
    </div>
  );
}

interface KpiProps {
  name: string;
  value: ReactNode;
  unit?: string;
  note?: string;
  against?: Against;
  change?: Change | null;
  tone?: 'err' | 'warn';
  line?: number[];
  to: string;
  search?: Record<string, string>;
}

function Kpi(props: KpiProps) {
  return (
    <Link className={props.tone ? `kpi ${props.tone}` : 'kpi'} to={props.to as '/'} search={(props.search ?? {}) as never}>
      <span className="name">{props.name}</span>
      <span className="value">
        {props.value}
        {props.unit && <small>{props.unit}</small>}
      </span>
      {props.note && <span className="note-line">{props.note}</span>}
      {props.change && <Since change={props.change} against={props.against ?? 'hour'} />}
      {props.line && props.line.length > 1 && props.line.some((one) => one > 0) && <Sparkline values={props.line} label={props.name} />}
    </Link>
  );
}

/** What changed since then: "↑ 12 % vs 1 h ago". */
function Since(props: { change: Change; against: Against }) {
  const { t, i18n } = useTranslation();
  const { by, as } = props.change;
  const plain = count(Math.abs(by), i18n.language);
  const size = as === 'part' ? percent(Math.abs(by)) : as === 'points' ? t('monitor.points', { what: plain }) : plain;
  return <span className="note-line">{by === 0 ? t(`monitor.same.${props.against}`) : t(`monitor.against.${props.against}`, { change: `${by > 0 ? '↑' : '↓'} ${size}` })}</span>;
}
