// The checks of a package as one list: what passed, what deserves a look, what stops it.
import type { Review } from '../../api/schema';

export interface Check {
  key: string;
  state: 'pass' | 'warn' | 'fail';
  detail: string;
}

/** Return the checks of a review, worst first; those that passed are shown too. */
export function checksOf(review: Review): Check[] {
  const { signature, fit, findings } = review;
  const good = signature.verdict === 'verified';
  const checks: Check[] = [
    // A package whose structure or manifest is wrong is refused before there is a review.
    { key: 'structure', state: 'pass', detail: '' },
    { key: 'manifest', state: 'pass', detail: '' },
    {
      key: 'signature',
      state: good ? 'pass' : signature.verdict === 'unsigned' ? 'warn' : 'fail',
      detail: [signature.publisher, signature.detail].filter(Boolean).join(' · '),
    },
    { key: 'platform', state: fit.can_start ? 'pass' : 'fail', detail: fit.can_start ? [fit.platform, fit.runtime_here].filter(Boolean).join(' · ') : (fit.detail ?? '') },
    { key: 'schema', state: review.account_schema ? 'pass' : 'warn', detail: '' },
    ...findings.map((one): Check => ({ key: one.code, state: 'warn', detail: [one.pointer, one.message].filter(Boolean).join(' ') })),
  ];
  const rank = { fail: 0, warn: 1, pass: 2 };
  return checks.sort((one, other) => rank[one.state] - rank[other.state]);
}
