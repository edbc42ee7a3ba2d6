// A line without axes, for a table cell or a figure.
export function Sparkline(props: { values: number[]; label: string; tone?: string }) {
  const { values } = props;
  if (values.length < 2) return <svg viewBox="0 0 100 22" aria-hidden="true" />;
  const top = Math.max(...values);
  const low = Math.min(...values);
  const span = top - low || 1;
  const points = values
    .map((value, index) => `${((index / (values.length - 1)) * 100).toFixed(1)},${(20 - ((value - low) / span) * 18).toFixed(1)}`)
    .join(' ');
  return (
    <svg viewBox="0 0 100 22" preserveAspectRatio="none" role="img" aria-label={props.label}>
      <polyline
        points={points}
        fill="none"
        stroke={props.tone ?? 'var(--series-1)'}
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
        strokeLinejoin="round"
      />
    </svg>
  );
}
