// What is read out of a plugin: its manifest, how its signature looks, versions in order.
import type { PluginView, ReleaseView } from '../../api/schema';
import type { Tone } from '../../components/Status';
import { duration } from '../../i18n/format';

export interface Manifest {
  name?: string;
  i18n?: Record<string, { name?: string }>;
  capabilities?: Record<string, boolean>;
  api_version?: number;
  runtime?: string;
  limits?: Record<string, number>;
  serves?: string[];
  webhook?: Record<string, unknown>;
}

/** The manifest of the release that serves, else of the newest one. */
export function manifestOf(plugin: PluginView): Manifest | undefined {
  return currentOf(plugin)?.manifest as Manifest | undefined;
}

export function currentOf(plugin: PluginView): ReleaseView | undefined {
  return plugin.releases.find((one) => one.is_current) ?? plugin.releases[0];
}

export function signatureTone(verdict: string): Tone {
  if (verdict === 'verified') return 'ok';
  return verdict === 'unsigned' ? 'warn' : 'err';
}

/** Compare two SemVer versions: negative when `one` is older. Build metadata does not count. */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [split(one), split(other)];
  for (let at = 0; at < 3; at++) {
    const difference = (a.core[at] ?? 0) - (b.core[at] ?? 0);
    if (difference) return difference;
  }
  if (!a.pre.length || !b.pre.length) return b.pre.length - a.pre.length;
  for (let at = 0; at < Math.max(a.pre.length, b.pre.length); at++) {
    const [left, right] = [a.pre[at], b.pre[at]];
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    if (left === right) continue;
    const [leftNumber, rightNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (leftNumber && rightNumber) return Number(left) - Number(right);
    if (leftNumber !== rightNumber) return leftNumber ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return 0;
}

function split(version: string): { core: number[]; pre: string[] } {
  const [core = '', pre = ''] = (version.split('+')[0] ?? '').split(/-(.*)/s);
  return { core: core.split('.').map(Number), pre: pre ? pre.split('.') : [] };
}

/** Say the slowest of its methods: 95 of 100 calls took no longer. */
export function p95Of(plugin: PluginView): string {
  const methods = Object.values((plugin.runtime?.methods ?? {}) as Record<string, { p95_ms: number; calls: number }>);
  const worst = Math.max(...methods.filter((one) => one.calls > 0).map((one) => one.p95_ms));
  return Number.isFinite(worst) ? duration(worst) : '–';
}
