// @vitest-environment jsdom
// How refusals are said to readers of Chinese: in their words first.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ApiError } from '../src/api/client';
import { Failed } from '../src/components/States';
import { speak, startLanguage } from '../src/i18n';
import words from '../src/i18n/zh-CN.json';

const PLUGINS = join(import.meta.dirname, '../../src/wunder/plugins');
const SAID = ['manifest.py', 'manifest_fields.py', 'account_schema.py', 'strict_json.py', 'acceptance.py'];

beforeAll(async () => {
  await startLanguage();
  await speak('zh-CN');
});
afterEach(cleanup);

describe('a refusal', () => {
  it('that nobody translated is said in Chinese, and then exactly', () => {
    render(<Failed error={new ApiError(422, { code: 'never_heard_of', detail: 'The cork is upside down.' })} />);
    expect(screen.getByText(/网关返回.*The cork is upside down\./)).toBeTruthy();
  });

  it('of a package has words for each fault that a manifest or schema can have', () => {
    const code = SAID.map((name) => readFileSync(join(PLUGINS, name), 'utf-8')).join('\n');
    const found = [...code.matchAll(/(?:FieldFault|\.fault)\(\s*[^,()]*(?:\([^()]*\)[^,()]*)?,\s*"(\w+)"/g)].map((one) => one[1]);
    expect(new Set(found).size).toBeGreaterThan(25);
    expect(found.filter((one) => !(`form.fault.${one}` in words))).toEqual([]);
  });
});
