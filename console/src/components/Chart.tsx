// A chart over time (uPlot), with the same figures as a table for who cannot see it.
import { Button } from 'antd';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useTheme } from '../app/themeContext';
import { clock } from '../i18n/format';
import { marksWithin, stackedUp, type Mark, type Series } from './plotted';

interface ChartProps {
  label: string;
  /** Unix ms, ascending, as long as each series. */
  times: number[];
  series: Series[];
  unit: (value: number) => string;
  height?: number;
  fill?: boolean;
  /** Each series stands on the next one; the first is on top. */
  stacked?: boolean;
  /** What the axis reaches at least. */
  top?: number;
  isWhole?: boolean;
  marks?: Mark[];
}

/** Steps of an axis that counts things. */
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];

export function Chart(props: ChartProps) {
  const { t } = useTranslation();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [asTable, setAsTable] = useState(false);
  const height = props.height ?? 180;
  const names = props.series.map((one) => one.label).join('|');
  const unit = useRef(props.unit);
  unit.current = props.unit;
  const { shade } = useTheme();
  const points = useMemo(
    () =>
      [props.times.map((at) => at / 1000), ...(props.stacked ? stackedUp(props.series) : props.series.map((one) => one.values))] as uPlot.AlignedData,
    [props.times, props.series, props.stacked],
  );
  // A stack is drawn in sums; what a person reads is each series itself.
  const own = useRef(props.series);
  own.current = props.series;
  const marks = useRef<Mark[]>([]);
  marks.current = props.marks ?? [];

  // Colours come from CSS variables, so a change of theme draws the plot anew.
  useEffect(() => {
    const element = place.current;
    if (!element || asTable) return;
    const ink = getComputedStyle(document.documentElement);
    const colour = (name: string) => ink.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--text-3'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1, size: 4 },
      font: '11px system-ui, sans-serif',
    };
    const made = new uPlot(
      {
        width: Math.max(200, element.clientWidth),
        height,
        padding: [8, 8, 0, 0],
        legend: { live: true },
        cursor: { points: { size: 6 } },
        scales: { y: { range: (_plot, low, high) => [Math.min(0, low ?? 0), Math.max(props.top ?? 1, (high ?? 0) * 1.1)] } },
        axes: [
          // Steps below a minute need their seconds, or neighbours look alike.
          { ...axis, space: 72, values: (_plot, splits, _axis, _space, step) => splits.map((at) => (step < 60 ? clock(at * 1000) : clock(at * 1000).slice(0, 5))) },
          { ...axis, size: 56, ...(props.isWhole ? { incrs: WHOLE } : {}), values: (_plot, splits) => splits.map((value) => unit.current(value)) },
        ],
        series: [
          { label: t('chart.time'), value: (_plot, at) => (at == null ? '–' : clock(at * 1000)) },
          ...names.split('|').map((label, index) => ({
            label,
            stroke: colour(`--series-${(index % 5) + 1}`),
            width: 1.5,
            points: { show: false },
            ...(props.fill ? { fill: `${colour(`--series-${(index % 5) + 1}`)}1f` } : {}),
            value: (_plot: uPlot, _sum: number | null, _series: number, at: number | null) => {
              const value = at == null ? null : own.current[index]?.values[at];
              return value == null ? '–' : unit.current(value);
            },
          })),
        ],
        ...(props.stacked ? { bands: names.split('|').slice(1).map((_, index) => ({ series: [index + 1, index + 2] as [number, number] })) } : {}),
        hooks: { draw: [(drawn) => draw(drawn, marks.current)] },
      },
      points,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: Math.max(200, element.clientWidth), height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
    // `points` are set by the effect below: a plot lives as long as its series and its colours.
  }, [asTable, names, height, shade, props.fill, props.stacked, props.top, props.isWhole, t]);

  useEffect(() => plot.current?.setData(points), [points]);

  const said = (props.marks ?? []).map((one) => one.text).join('\n');
  useEffect(() => {
    if (plot.current) draw(plot.current, marks.current);
  }, [said]);

  return (
    <div className="chart">
      <div className="row end">
        <Button size="small" type="text" onClick={() => setAsTable(!asTable)} aria-pressed={asTable}>
          {asTable ? t('chart.asChart') : t('chart.asTable')}
        </Button>
      </div>
      {asTable ? (
        <div className="table-wrap" style={{ maxHeight: height + 40 }} tabIndex={0} role="region" aria-label={props.label}>
          <table className="list">
            <thead>
              <tr>
                <th scope="col">{t('chart.time')}</th>
                {props.series.map((one) => (
                  <th key={one.label} scope="col" className="num">
                    {one.label}
                  </th>
                ))}
                {said && <th scope="col">{t('chart.marks')}</th>}
              </tr>
            </thead>
            <tbody>
              {props.times.map((at, index) => (
                <tr key={at}>
                  <td>{clock(at)}</td>
                  {props.series.map((one) => {
                    const value = one.values[index];
                    return (
                      <td key={one.label} className="num">
                        {value == null ? '–' : props.unit(value)}
                      </td>
                    );
                  })}
                  {said && <td>{marksWithin(props.marks ?? [], props.times[index - 1] ?? 0, at)}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <div ref={place} role="img" aria-label={said ? `${props.label}\n${said}` : props.label} style={{ minHeight: height + 28 }} />
      )}
      {said && !asTable && (
        <div className="mark-key">
          {(['version', 'restart'] as const).map(
            (kind) =>
              props.marks?.some((one) => one.kind === kind) && (
                <span key={kind}>
                  <i className={`mark ${kind}`} aria-hidden="true" />
                  {t(`chart.${kind}`)}
                </span>
              ),
          )}
        </div>
      )}
    </div>
  );
}

/** Put the marks over the plot; elements, so that each says what it is when pointed at. */
function draw(plot: uPlot, marks: readonly Mark[]): void {
  for (const old of plot.over.querySelectorAll('.mark')) old.remove();
  const { min = 0, max = 0 } = plot.scales.x ?? {};
  for (const { at, kind, text } of marks) {
    if (at / 1000 < (min ?? 0) || at / 1000 > (max ?? 0)) continue;
    const mark = document.createElement('i');
    mark.className = `mark ${kind}`;
    mark.title = text;
    mark.style.left = `${plot.valToPos(at / 1000, 'x')}px`;
    plot.over.append(mark);
  }
}
