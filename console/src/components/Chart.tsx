// A chart over time (uPlot), with the same figures as a table for who cannot see it.
import { Button } from 'antd';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { clock } from '../i18n/format';

export interface Series {
  label: string;
  values: (number | null)[];
}

/** Steps of an axis that counts things. */
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];

/** `times`: Unix ms, ascending, as long as each series. `top`: what the axis reaches at least. */
export function Chart(props: { label: string; times: number[]; series: Series[]; unit: (value: number) => string; height?: number; fill?: boolean; top?: number; isWhole?: boolean }) {
  const { t } = useTranslation();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [asTable, setAsTable] = useState(false);
  const height = props.height ?? 180;
  const names = props.series.map((one) => one.label).join('|');
  const unit = useRef(props.unit);
  unit.current = props.unit;
  const shade = useShade();
  const points = useMemo(
    () => [props.times.map((at) => at / 1000), ...props.series.map((one) => one.values)] as uPlot.AlignedData,
    [props.times, props.series],
  );

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
            value: (_plot: uPlot, value: number | null) => (value == null ? '–' : unit.current(value)),
          })),
        ],
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
  }, [asTable, names, height, shade, props.fill, props.top, props.isWhole, t]);

  useEffect(() => plot.current?.setData(points), [points]);

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
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <div ref={place} role="img" aria-label={props.label} style={{ minHeight: height + 28 }} />
      )}
    </div>
  );
}

function useShade(): string {
  const [shade, setShade] = useState(() => document.documentElement.dataset.theme ?? '');
  useEffect(() => {
    const seen = new MutationObserver(() => setShade(document.documentElement.dataset.theme ?? ''));
    seen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => seen.disconnect();
  }, []);
  return shade;
}
