// A plugin's process on each node: how it is, how fast it answers, what broke, what it says on stderr.
import { useQuery } from '@tanstack/react-query';
import { Button, Input } from 'antd';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import type { MethodFigures, RuntimeReport } from '../../api/schema';
import { DataTable, type Column } from '../../components/DataTable';
import { Countdown, Id, Pairs, Time } from '../../components/Facts';
import { Icon } from '../../components/Icon';
import { Empty, Failed, Skeleton } from '../../components/States';
import { Status, Tag } from '../../components/Status';
import { count, duration, size } from '../../i18n/format';
import { useEvents } from '../monitor/EventFeed';

const LOOK_MS = 3_000;

export function RuntimePanel(props: { pluginId: string }) {
  const { t } = useTranslation();
  const runtime = useQuery({
    queryKey: ['plugin', props.pluginId, 'runtime'],
    queryFn: () =>
      take(api.GET('/wunder/admin/channel_plugins/{plugin_id}/runtime', { params: { path: { plugin_id: props.pluginId } } })),
    refetchInterval: LOOK_MS,
  });
  if (runtime.isPending) return <Skeleton lines={6} />;
  if (!runtime.data) return <Failed error={runtime.error} retry={() => void runtime.refetch()} />;
  return (
    <div className="stack wide" style={{ padding: 16 }}>
      {runtime.data.nodes.length === 0 && <Empty icon="plugin" text={t('runtime.none')} />}
      {runtime.data.nodes.map((one) => (
        <Node key={one.node_id} report={one} isAlone={runtime.data.nodes.length === 1} />
      ))}
      <Restarts pluginId={props.pluginId} />
      <Stderr pluginId={props.pluginId} />
    </div>
  );
}

function Node(props: { report: RuntimeReport; isAlone: boolean }) {
  const { t } = useTranslation();
  const { report } = props;
  const breakers = Object.entries((report.breakers ?? {}) as Record<string, string>);
  return (
    <section className="stack">
      {!props.isAlone && (
        <h3>
          {t('runtime.node')} {report.node_id}
        </h3>
      )}
      <Pairs
        columns={2}
        of={[
          [t('plugin.status'), <Status key="state" kind="runtime" state={report.state} />],
          [t('runtime.pid'), report.pid && <code key="pid">{report.pid}</code>],
          [t('plugin.version'), <code key="version">{report.version}</code>],
          [t('runtime.up'), report.ready_at && <Time key="up" at={report.ready_at} />],
          [t('runtime.nextStart'), report.retry_at && report.state === 'backoff' && <Countdown key="next" to={report.retry_at} />],
          [t('plugin.memory'), report.memory_bytes && size(report.memory_bytes)],
          [t('plugin.inFlight'), String(report.in_flight)],
          [t('runtime.restarts'), t('runtime.restartsOf', { restarts: report.restarts, crashes: report.crashes })],
          [t('runtime.lastExit'), report.last_exit && <code key="exit">{report.last_exit}</code>],
          [t('plugin.lastError'), report.last_error && <span key="error" style={{ color: 'var(--err)' }}>{report.last_error}</span>],
          [t('plugin.health'), report.health],
          [t('runtime.noise'), report.stdout_noise > 0 && String(report.stdout_noise)],
          [t('runtime.late'), report.late_answers > 0 && String(report.late_answers)],
        ]}
      />
      {breakers.some(([, state]) => state !== 'closed') && (
        <div className="note warn">
          <Icon name="warning" />
          <div className="stack tight">
            <strong>{t('runtime.tripped')}</strong>
            {breakers
              .filter(([, state]) => state !== 'closed')
              .map(([uid, state]) => (
                <span key={uid} className="row">
                  <Status kind="breaker" state={state} /> <Id value={uid} />
                </span>
              ))}
          </div>
        </div>
      )}
      <Methods methods={(report.methods ?? {}) as Record<string, MethodFigures>} />
    </section>
  );
}

function Methods(props: { methods: Record<string, MethodFigures> }) {
  const { t, i18n } = useTranslation();
  const rows = Object.entries(props.methods).sort(([, one], [, other]) => other.calls - one.calls);
  type Row = (typeof rows)[number];
  const columns: Column<Row>[] = [
    { key: 'method', title: t('runtime.method'), cell: ([name]) => <code>{name}</code> },
    { key: 'calls', title: t('runtime.calls'), num: true, cell: ([, one]) => count(one.calls, i18n.language) },
    { key: 'p50', title: 'p50', num: true, cell: ([, one]) => duration(one.p50_ms) },
    { key: 'p95', title: 'p95', num: true, cell: ([, one]) => duration(one.p95_ms) },
    { key: 'p99', title: 'p99', num: true, cell: ([, one]) => duration(one.p99_ms) },
    {
      key: 'errors',
      title: t('runtime.errors'),
      cell: ([, one]) => {
        const errors = Object.entries((one.errors ?? {}) as Record<string, number>);
        if (!errors.length) return <span className="muted">0</span>;
        return (
          <span className="row wrap">
            {errors.map(([code, times]) => (
              <Tag key={code} tone="err">
                {code} × {times}
              </Tag>
            ))}
          </span>
        );
      },
    },
  ];
  if (!rows.length) return null;
  return (
    <div className="card">
      <DataTable label={t('runtime.methods')} rows={rows} columns={columns} id={([name]) => name} />
    </div>
  );
}

/** Starts, crashes and ends of the process, from what is on record. */
function Restarts(props: { pluginId: string }) {
  const { t } = useTranslation();
  const { events, first } = useEvents({ pluginId: props.pluginId }, false);
  const rows = events.filter((one) => /^plugin_(started|crashed|stopped|broken|recycled|recovered)$/.test(one.name)).slice(0, 10);
  if (first.isPending || !rows.length) return null;
  type Row = (typeof rows)[number];
  const field = (one: Row, name: string) => (one.fields as Record<string, unknown> | undefined)?.[name];
  const columns: Column<Row>[] = [
    { key: 'at', title: t('runtime.when'), cell: (one) => <Time at={one.at} /> },
    { key: 'name', title: t('runtime.event'), cell: (one) => t(`event.${one.name}`, { defaultValue: one.name.replaceAll('_', ' ') }) },
    { key: 'exit', title: t('runtime.lastExit'), cell: (one) => <code>{String(field(one, 'exit') || field(one, 'detail') || '–')}</code> },
    { key: 'generation', title: t('runtime.generation'), num: true, cell: (one) => String(field(one, 'generation') ?? '–') },
  ];
  return (
    <section className="stack tight">
      <h3>{t('runtime.history')}</h3>
      <div className="card">
        <DataTable label={t('runtime.history')} rows={rows} columns={columns} id={(one) => String(one.event_id)} />
      </div>
    </section>
  );
}

/** The tail of stderr: follows while one is at its end, can be held, filtered and saved. */
function Stderr(props: { pluginId: string }) {
  const { t } = useTranslation();
  const [isHeld, setHeld] = useState(false);
  const [wanted, setWanted] = useState('');
  const place = useRef<HTMLPreElement>(null);
  const logs = useQuery({
    queryKey: ['plugin', props.pluginId, 'logs'],
    queryFn: () => take(api.GET('/wunder/admin/channel_plugins/{plugin_id}/logs', { params: { path: { plugin_id: props.pluginId } } })),
    refetchInterval: isHeld ? false : LOOK_MS,
  });
  const lines = useMemo(() => {
    const text = wanted.toLowerCase();
    return (logs.data?.lines ?? []).filter((one) => !text || one.toLowerCase().includes(text));
  }, [logs.data, wanted]);
  useEffect(() => {
    const element = place.current;
    if (!element || isHeld) return;
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 80;
    if (isAtEnd || element.scrollTop === 0) element.scrollTop = element.scrollHeight;
  }, [lines, isHeld]);
  const save = () => {
    const url = URL.createObjectURL(new Blob([lines.join('\n')], { type: 'text/plain' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = `${props.pluginId}-stderr.log`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <section className="card">
      <header>
        <h2>{t('runtime.stderr')}</h2>
        <Input
          size="small"
          allowClear
          style={{ width: 180 }}
          placeholder={t('runtime.filter')}
          aria-label={t('runtime.filter')}
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        <Button size="small" aria-pressed={isHeld} icon={<Icon name={isHeld ? 'play' : 'pause'} size={12} />} onClick={() => setHeld(!isHeld)}>
          {isHeld ? t('runtime.follow') : t('monitor.pause')}
        </Button>
        <Button size="small" icon={<Icon name="download" size={12} />} disabled={!lines.length} onClick={save}>
          {t('do.download')}
        </Button>
      </header>
      {logs.error && !logs.data ? (
        <Failed error={logs.error} retry={() => void logs.refetch()} />
      ) : (
        <pre ref={place} className={lines.length ? 'log' : 'log empty'} tabIndex={0} aria-label={t('runtime.stderr')}>
          {lines.length ? lines.join('\n') : wanted ? t('list.noMatch') : t('runtime.silent')}
        </pre>
      )}
    </section>
  );
}
