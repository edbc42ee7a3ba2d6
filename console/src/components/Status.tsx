// A state as glyph, word and colour: never colour alone.
import { useTranslation } from 'react-i18next';

export type Tone = 'ok' | 'warn' | 'err' | 'busy' | 'off';
const GLYPH: Record<Tone, string> = { ok: '●', warn: '▲', err: '✕', busy: '◌', off: '○' };

/** Which states look alike; a state nobody listed is shown as plain text. */
const TONES: Record<string, Record<string, Tone>> = {
  delivery: {
    pending: 'busy', claimed: 'busy', sending: 'busy', streaming: 'busy', held: 'warn', sent: 'ok',
    failed: 'err', unknown: 'warn', expired: 'err', cancelled: 'off',
  },
  receipt: { none: 'off', delivered: 'ok', read: 'ok', failed: 'err' },
  message: {
    received: 'busy', answering: 'busy', answered: 'ok', no_answer: 'off', unrouted: 'warn',
    refused: 'off', failed: 'err',
  },
  account: { enabled: 'ok', disabled: 'off', draft: 'warn', deleted: 'off' },
  plugin: { enabled: 'ok', disabled: 'off', error: 'err' },
  runtime: {
    ready: 'ok', starting: 'busy', backoff: 'warn', broken: 'err', stopped: 'off', stopping: 'busy',
    in_process: 'ok', not_serving: 'off',
  },
  serving: { builtin: 'ok', plugin: 'ok', nobody: 'off' },
  level: { info: 'off', warning: 'warn', error: 'err' },
  attempt: { sent: 'ok', not_sent: 'err', ok: 'ok', failed: 'err', retry: 'warn', unknown: 'warn', open: 'busy', '': 'busy' },
  breaker: { closed: 'ok', open: 'err', half_open: 'warn' },
  check: { pass: 'ok', warn: 'warn', fail: 'err' },
  user: { active: 'ok', disabled: 'off', locked: 'warn' },
  token: { valid: 'ok', expired: 'off', revoked: 'off' },
};

/** Return how a state of a kind of thing looks. */
export function toneOf(kind: string, state: string): Tone {
  return TONES[kind]?.[state] ?? 'off';
}

export function Status(props: { kind: string; state: string; detail?: string; tone?: Tone }) {
  const { t } = useTranslation();
  const tone = props.tone ?? toneOf(props.kind, props.state);
  const word = t(`state.${props.kind}.${props.state || 'none'}`, { defaultValue: props.state || '–' });
  return (
    <span className={`status ${tone}`} title={props.detail}>
      <span aria-hidden="true" className="glyph">
        {GLYPH[tone]}
      </span>
      {word}
    </span>
  );
}

/** A short word in a frame, for facts that are no states. */
export function Tag(props: { children: React.ReactNode; tone?: Tone | 'plain'; title?: string }) {
  return (
    <span className={`tag ${props.tone ?? 'plain'}`} title={props.title}>
      {props.children}
    </span>
  );
}
