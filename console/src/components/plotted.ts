// What a chart plots: series, what stands on what, and the moments that are marked.

export interface Series {
  label: string;
  values: (number | null)[];
}

/** A moment that is drawn as a line across the plot; `text` is what it says when pointed at. */
export interface Mark {
  at: number;
  kind: 'version' | 'restart';
  text: string;
}

/** Return what is drawn of a stack: each series on top of those after it. */
export function stackedUp(series: readonly Series[]): number[][] {
  const sums: number[][] = [];
  for (const { values } of [...series].reverse()) {
    const below = sums[0];
    sums.unshift(values.map((value, at) => (value ?? 0) + (below?.[at] ?? 0)));
  }
  return sums;
}

/** Say the marks of a stretch of time, its end included. */
export function marksWithin(marks: readonly Mark[], after: number, until: number): string {
  return marks
    .filter((one) => one.at > after && one.at <= until)
    .map((one) => one.text)
    .join('; ');
}
