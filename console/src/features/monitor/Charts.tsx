// The overview's charts of two hours: what went through, how long it took, what went wrong; with what changed meanwhile.
import { Suspense, useMemo, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Minute } from '../../api/schema';
import { lazily } from '../../app/fetched';
import { Card } from '../../components/Page';
import type { Series } from '../../components/plotted';
import { Empty, Skeleton } from '../../components/States';
import { clock, count, duration } from '../../i18n/format';
import { useEventWords } from './EventFeed';
import { faultsByKind } from './hours';
import { useMarks } from './marks';

// The plot library comes after the figures: they are what is looked at first.
const Chart = lazily(async () => (await import('../../components/Chart')).Chart);

export function Charts(props: { minutes: Minute[]; isLoading: boolean }) {
  const { t, i18n } = useTranslation();
  const { minutes } = props;
  const say = useEventWords();
  const n = (value: number) => count(value, i18n.language);
  const times = useMemo(() => minutes.map((one) => one.at), [minutes]);
  const marks = useMarks(times.length > 1 ? (times[0] as number) : 0).map(({ at, kind, event }) => ({
    at,
    kind,
    text: `${clock(at)} ${event.plugin_id ?? ''} ${event.version ?? ''}: ${say(event)}`,
  }));
  const traffic = useMemo<Series[]>(
    () => [
      { label: t('monitor.takenIn'), values: minutes.map((one) => one.taken_in ?? 0) },
      { label: t('monitor.sent'), values: minutes.map((one) => one.sent ?? 0) },
      { label: t('monitor.failures'), values: minutes.map((one) => one.failed ?? 0) },
    ],
    [minutes, t],
  );
  const latency = useMemo<Series[]>(
    () => [
      { label: 'p50', values: minutes.map((one) => one.delivery_p50_ms ?? null) },
      { label: 'p95', values: minutes.map((one) => one.delivery_p95_ms ?? null) },
    ],
    [minutes],
  );
  const faults = useMemo<Series[]>(
    () =>
      faultsByKind(minutes).map(({ kind, values }) => ({
        label: kind === 'other' ? t('monitor.otherFaults') : t(`fault.${kind}`, { defaultValue: kind }),
        values,
      })),
    [minutes, t],
  );
  const body = (chart: ReactNode) =>
    props.isLoading ? (
      <Skeleton lines={6} />
    ) : minutes.length < 2 ? (
      <Empty icon="monitor" text={t('monitor.noMinutes')} hint={t('monitor.noMinutesHint')} />
    ) : (
      <Suspense fallback={<Skeleton lines={6} />}>{chart}</Suspense>
    );
  const common = { times, marks };
  return (
    <div className="thirds">
      <Card title={t('monitor.throughput')} flush>
        {body(<Chart label={t('monitor.throughput')} {...common} series={traffic} unit={n} fill top={4} isWhole />)}
      </Card>
      <Card title={t('monitor.latency')} flush>
        {body(<Chart label={t('monitor.latency')} {...common} series={latency} unit={duration} top={10} />)}
      </Card>
      <Card title={t('monitor.faults')} flush>
        {body(
          faults.length ? (
            <Chart label={t('monitor.faults')} {...common} series={faults} unit={n} fill stacked top={4} isWhole />
          ) : (
            <Empty icon="check" text={t('monitor.noFaults')} />
          ),
        )}
      </Card>
    </div>
  );
}
