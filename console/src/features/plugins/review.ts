// The checks of a package as one list: what passed, what deserves a look, what stops it.
import type { Review } from '../../api/schema';

export interface Check {
  code: string;
  state: 'pass' | 'warn' | 'fail';
  /** Where in the package: what the manifest says there, else the place itself. */
  places: string[];
  /** A fact of this package; empty: our own words say enough. */
  detail: string;
  /** What the gateway said, for a code that we have no words for. */
  said: string;
}

/** Return the checks of a review, worst first; those that passed are shown too. One line for each code. */
export function checksOf(review: Review): Check[] {
  const { signature, fit, findings } = review;
  const check = (code: string, state: Check['state'], detail = ''): Check => ({ code, state, detail, places: [], said: '' });
  const found = new Map<string, Check>();
  for (const one of findings) {
    const line = found.get(one.code) ?? { ...check(one.code, 'warn'), said: one.message };
    if (one.pointer) line.places.push(said(review.manifest, one.pointer));
    found.set(one.code, line);
  }
  const checks = [
    // A package whose structure or manifest is wrong is refused before there is a review.
    check('structure', 'pass'),
    check('manifest', 'pass'),
    check('signature', signatureState(signature.verdict), [signature.publisher, signature.verdict === 'unsigned' ? '' : signature.detail].filter(Boolean).join(' · ')),
    check('platform', fit.can_start ? 'pass' : 'fail', fit.can_start ? [fit.platform, fit.runtime_here].filter(Boolean).join(' · ') : (fit.detail ?? '')),
    check('schema', review.account_schema ? 'pass' : 'warn'),
    ...found.values(),
  ];
  const rank = { fail: 0, warn: 1, pass: 2 };
  return checks.sort((one, other) => rank[one.state] - rank[other.state]);
}

function signatureState(verdict: string): Check['state'] {
  if (verdict === 'verified') return 'pass';
  return verdict === 'unsigned' ? 'warn' : 'fail';
}

/** What stands at a place of the manifest, where that is a word; else the place. */
function said(manifest: unknown, pointer: string): string {
  let at: unknown = manifest;
  for (const step of pointer.split('/').slice(1)) {
    at = (at as Record<string, unknown> | undefined)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return typeof at === 'string' ? at : pointer;
}
