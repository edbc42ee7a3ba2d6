import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { firstLanguage } from '../src/i18n';
import en from '../src/i18n/en.json';
import zh from '../src/i18n/zh-CN.json';

const SRC = join(import.meta.dirname, '../src');

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((one) =>
    one.isDirectory() ? sources(join(folder, one.name)) : /\.tsx?$/.test(one.name) ? [join(folder, one.name)] : [],
  );
}

const code = sources(SRC).map((file) => readFileSync(file, 'utf-8'));
const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((found) => found[1]).sort();

describe('words', () => {
  it('are the same keys in both languages, with something to say at each', () => {
    expect(Object.keys(zh)).toEqual(Object.keys(en));
    expect([...Object.entries(zh), ...Object.entries(en)].filter(([, text]) => !text.trim())).toEqual([]);
  });

  it('have the same placeholders in both languages', () => {
    const different = Object.entries(en).filter(
      ([key, text]) => placeholders(text).join() !== placeholders(zh[key as keyof typeof zh]).join(),
    );
    expect(different).toEqual([]);
  });

  it('are there for every key that the code names', () => {
    const used = code.flatMap((text) => [...text.matchAll(/\bt\(\s*'([^']+)'/g)].map((found) => found[1] as string));
    expect(used.length).toBeGreaterThan(300);
    expect([...new Set(used)].filter((key) => !(key in en))).toEqual([]);
  });

  it('are there for every family of keys that the code builds', () => {
    const families = code.flatMap((text) => [...text.matchAll(/\bt\(\s*`([^`$]+)\$\{/g)].map((found) => found[1] as string));
    const keys = Object.keys(en);
    const dynamic = new Set(['pluginError.', 'state.']);
    expect([...new Set(families)].filter((family) => !dynamic.has(family) && !keys.some((key) => key.startsWith(family)))).toEqual([]);
  });

  it('are there for every call that the audit may name: one that was refused says no event of its own', () => {
    type Calls = Record<string, { operationId?: string }>;
    const api = JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/openapi.json'), 'utf-8')) as { paths: Record<string, Calls> };
    const writes = Object.entries(api.paths)
      .filter(([path]) => /^\/wunder\/(admin|channels|session)/.test(path))
      .flatMap(([, calls]) => Object.entries(calls))
      .filter(([verb]) => ['post', 'put', 'patch', 'delete'].includes(verb))
      .map(([, call]) => `event.${call.operationId}`);
    expect(writes.length).toBeGreaterThan(40);
    expect(writes.filter((key) => !(key in en) || !(key in zh))).toEqual([]);
  });

  it('are not kept when nothing names them', () => {
    const whole = code.join('\n');
    const families = [...whole.matchAll(/`([a-zA-Z]+\.[^`$]*|[a-zA-Z]+\.)\$\{/g)].map((found) => found[1] as string);
    const idle = Object.keys(en).filter(
      (key) => !whole.includes(`'${key}'`) && !families.some((family) => key.startsWith(family)),
    );
    expect(idle).toEqual([]);
  });
});

describe('the language one begins with', () => {
  it('is what was chosen, else the first the browser wants, else English', () => {
    expect(firstLanguage('en', ['zh-CN'])).toBe('en');
    expect(firstLanguage(null, ['zh-TW', 'en'])).toBe('zh-CN');
    expect(firstLanguage(null, ['en-GB', 'zh-CN'])).toBe('en');
    expect(firstLanguage('nonsense', ['fr'])).toBe('en');
  });
});
