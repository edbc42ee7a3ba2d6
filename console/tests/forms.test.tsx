// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import i18next from 'i18next';
import { useState } from 'react';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { placeFaults, type Fault } from '../src/forms/faults';
import { prepare } from '../src/forms/normalize';
import { SchemaForm } from '../src/forms/SchemaForm';
import { fromGateway, toGateway } from '../src/forms/secrets';
import { makeValidator } from '../src/forms/validator';
import en from '../src/i18n/en.json';

const NONE: ReadonlySet<string> = new Set();
const SCHEMA = {
  type: 'object',
  required: ['app_id', 'secret'],
  'x-order': ['app_id', 'secret', 'mode'],
  properties: {
    mode: { oneOf: [{ const: 'a', title: 'Mode A' }, { const: 'b', title: 'Mode B' }], title: 'Mode', default: 'a' },
    secret: { type: 'string', writeOnly: true, minLength: 4, title: 'Secret', 'x-i18n': { 'zh-CN': { title: '密钥' } } },
    app_id: { type: 'string', pattern: '^[0-9]+$', title: 'App ID', description: 'Digits.' },
    window_s: { type: 'integer', minimum: 1, maximum: 10, title: 'Window', 'x-advanced': true, default: 5 },
    accept: { type: 'boolean', title: 'Accept', default: false },
    internal: { type: 'string', title: 'Internal', 'x-audience': 'admin' },
    where: { type: 'string', 'x-display': 'webhook-url', title: 'Address' },
    tags: { type: 'array', items: { type: 'string' }, title: 'Tags' },
  },
  if: { properties: { mode: { const: 'b' } } },
  then: { properties: { extra: { type: 'string', title: 'Extra' } }, required: ['extra'] },
};

beforeAll(async () => {
  // What jsdom lacks of a browser, as far as Ant Design's parts look for it.
  window.matchMedia ??= (() => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn(), addListener: vi.fn(), removeListener: vi.fn() })) as never;
  globalThis.ResizeObserver ??= class { observe() {} unobserve() {} disconnect() {} } as never;
  Element.prototype.scrollIntoView ??= () => undefined;
  await i18next.use(initReactI18next).init({
    lng: 'en',
    resources: { en: { translation: en } },
    keySeparator: false,
    nsSeparator: false,
    interpolation: { escapeValue: false },
  });
});
afterEach(cleanup);

function Harness(props: { schema?: unknown; start?: Record<string, unknown>; saved?: ReadonlySet<string>; faults?: Fault[]; sent: (value: unknown) => void; audience?: 'user' | 'admin' }) {
  const [value, setValue] = useState(props.start ?? {});
  const [cleared, setCleared] = useState<Set<string>>(new Set());
  return (
    <>
      <SchemaForm
        schema={props.schema === undefined ? SCHEMA : props.schema}
        value={value}
        saved={props.saved ?? NONE}
        cleared={cleared}
        change={setValue}
        clear={setCleared}
        submit={() => props.sent(toGateway(value, cleared))}
        faults={props.faults ?? []}
        prefix="/provider_config"
        audience={props.audience ?? 'admin'}
        formId="f"
        webhookUrl="https://gateway.example/hook"
      />
      <button type="submit" form="f">
        Send
      </button>
    </>
  );
}

const field = (label: RegExp) => screen.getByLabelText(label) as HTMLInputElement;
const submit = () => fireEvent.submit(document.getElementById('f') as HTMLFormElement);

describe('a schema made ready', () => {
  it('keeps the order of x-order, as names and as numbers', () => {
    expect(prepare(SCHEMA, 'admin', NONE, 'en').ui['ui:order']).toEqual(['app_id', 'secret', 'mode', '*']);
    const numbered = { properties: { b: { 'x-order': 2 }, a: { 'x-order': 1 } } };
    expect(prepare(numbered, 'admin', NONE, 'en').ui['ui:order']).toEqual(['a', 'b', '*']);
  });

  it('speaks the language of the reader where the plugin does', () => {
    const title = (locale: string) => (prepare(SCHEMA, 'admin', NONE, locale).schema.properties?.secret as { title: string }).title;
    expect([title('zh-CN'), title('zh-TW'), title('en')]).toEqual(['密钥', '密钥', 'Secret']);
  });

  it('finds secrets at any depth', () => {
    const nested = { properties: { a: { type: 'object', properties: { 'b/c': { writeOnly: true } } } } };
    expect(prepare(nested, 'admin', NONE, 'en').secrets).toEqual(['/a/b~1c']);
  });

  it('asks not again for a secret that is saved, although it is required', () => {
    expect(prepare(SCHEMA, 'admin', new Set(['/secret']), 'en').schema.required).toEqual(['app_id']);
  });

  it('hides from users what is for administrators', () => {
    expect(prepare(SCHEMA, 'user', NONE, 'en').schema.properties).not.toHaveProperty('internal');
    expect(prepare(SCHEMA, 'admin', NONE, 'en').schema.properties).toHaveProperty('internal');
  });

  it('gives titled choices without a type the type of their values', () => {
    expect((prepare(SCHEMA, 'admin', NONE, 'en').schema.properties?.mode as { type: string }).type).toBe('string');
  });
});

describe('secrets', () => {
  it('come as marks and leave as nothing unless they were typed or cleared', () => {
    const { value, saved } = fromGateway({ app_id: '1', secret: { set: true }, deep: { key: { set: true, hmac8: 'ab' }, other: { set: false } } });
    expect(value).toEqual({ app_id: '1', deep: {} });
    expect([...saved]).toEqual(['/secret', '/deep/key']);
    expect(toGateway(value, new Set())).toEqual({ app_id: '1', deep: {} });
    expect(toGateway(value, new Set(['/secret', '/deep/key']))).toEqual({ app_id: '1', secret: null, deep: { key: null } });
  });
});

describe('faults of the gateway', () => {
  it('are placed at their fields; others stand above the form', () => {
    const faults = [
      { pointer: '/provider_config/app_id', code: 'pattern', message: 'Wrong.' },
      { pointer: '/provider_config/list/0/a~1b', code: 'type', message: 'Type.' },
      { pointer: '/account_id', code: 'taken', message: 'Taken.' },
    ];
    const { fields, rest } = placeFaults(faults, '/provider_config', (one) => one.message);
    expect(fields).toEqual({ app_id: { __errors: ['Wrong.'] }, list: { 0: { 'a/b': { __errors: ['Type.'] } } } });
    expect(rest).toEqual([faults[2]]);
  });
});

describe('the validator', () => {
  const validator = makeValidator((keyword, limit) => `${keyword}:${String(limit)}`);

  it('says each fault at its field from the keyword, never from the value', () => {
    const { errorSchema, errors } = validator.validateFormData({ app_id: 'hunter2', window_s: 99 }, prepare(SCHEMA, 'admin', NONE, 'en').schema);
    expect(errorSchema).toMatchObject({
      app_id: { __errors: ['pattern:^[0-9]+$'] },
      secret: { __errors: ['required:undefined'] },
      window_s: { __errors: ['maximum:10'] },
    });
    expect(JSON.stringify(errors)).not.toContain('hunter2');
  });

  it('asks for what a chosen branch needs', () => {
    const { errorSchema } = validator.validateFormData({ app_id: '1', secret: 'long', mode: 'b' }, prepare(SCHEMA, 'admin', NONE, 'en').schema);
    expect(Object.keys(errorSchema)).toEqual(['extra']);
  });

  it('makes no code: it works where the page forbids eval', () => {
    const made = vi.spyOn(globalThis, 'Function');
    validator.isValid({ type: 'string', pattern: '^a' }, 'a', {});
    expect(made).not.toHaveBeenCalled();
  });
});

describe('the form', () => {
  it('labels each control and ties hint and fault to it', async () => {
    render(<Harness sent={vi.fn()} />);
    submit();
    const control = field(/^App ID/);
    expect(control.getAttribute('aria-invalid')).toBe('true');
    const said = (control.getAttribute('aria-describedby') ?? '').split(' ').map((id) => document.getElementById(id)?.textContent);
    expect(said).toEqual(['It is missing.', 'Digits.']);
  });

  it('sends nothing while the browser can see that it is wrong', () => {
    const sent = vi.fn();
    render(<Harness sent={sent} />);
    submit();
    expect(sent).not.toHaveBeenCalled();
  });

  it('sends what was typed, with defaults, and no display fields', () => {
    const sent = vi.fn();
    render(<Harness sent={sent} />);
    fireEvent.change(field(/^App ID/), { target: { value: '42' } });
    fireEvent.change(field(/^Secret/), { target: { value: 'swordfish' } });
    submit();
    expect(sent).toHaveBeenCalledWith(expect.objectContaining({ app_id: '42', secret: 'swordfish', mode: 'a', window_s: 5, accept: false }));
    expect(sent.mock.calls[0]?.[0]).not.toHaveProperty('where');
  });

  it('shows that a secret is saved, sends none, and null once it is cleared', () => {
    const sent = vi.fn();
    render(<Harness sent={sent} start={{ app_id: '1' }} saved={new Set(['/secret'])} />);
    const secret = field(/^Secret/);
    expect(secret.type).toBe('password');
    expect(secret.value).toBe('');
    expect(secret.placeholder).toBe(en['form.secretSaved']);
    submit();
    expect(sent.mock.calls[0]?.[0]).not.toHaveProperty('secret');
    fireEvent.click(screen.getByText(en['form.secretClear']));
    fireEvent.change(field(/^Secret/), { target: { value: '' } });
    expect(field(/^Secret/).placeholder).toBe(en['form.secretCleared']);
  });

  it('shows a fault of the gateway at its field and opens the fold it is in', () => {
    render(<Harness sent={vi.fn()} start={{ app_id: '1' }} faults={[{ pointer: '/provider_config/window_s', code: 'maximum', message: 'At most 10.' }]} />);
    expect(screen.getByText('At most 10.').getAttribute('role')).toBe('alert');
    expect(field(/^Window/).closest('details')?.open).toBe(true);
  });

  it('folds advanced fields, offers choices by title, shows the address to copy', () => {
    render(<Harness sent={vi.fn()} />);
    expect(field(/^Window/).closest('details')?.open).toBe(false);
    expect(screen.getByText('Mode A')).toBeTruthy();
    expect(screen.getByText('https://gateway.example/hook')).toBeTruthy();
  });

  it('lets a list grow and shrink', () => {
    render(<Harness sent={vi.fn()} />);
    fireEvent.click(screen.getByText(en['form.add']));
    expect(screen.getAllByRole('button', { name: /Remove item/ })).toHaveLength(1);
    fireEvent.click(screen.getByRole('button', { name: /Remove item 1/ }));
    expect(screen.queryByRole('button', { name: /Remove item/ })).toBeNull();
  });

  it('is a JSON editor where the channel has no schema, and keeps broken JSON from being sent', () => {
    const sent = vi.fn();
    render(<Harness schema={null} sent={sent} />);
    const area = screen.getByLabelText(/Configuration/);
    fireEvent.change(area, { target: { value: '{"a": ' } });
    submit();
    expect(sent).not.toHaveBeenCalled();
    expect(screen.getByText(en['form.fault.json'])).toBeTruthy();
    fireEvent.change(area, { target: { value: '{"a": 1}' } });
    submit();
    expect(sent).toHaveBeenCalledWith({ a: 1 });
  });
});
