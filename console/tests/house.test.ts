import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const SRC = join(import.meta.dirname, '../src');

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((one) => {
    const path = join(folder, one.name);
    return one.isDirectory() ? files(path) : [path];
  });
}

const code = files(SRC).filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts'));
const textOf = (path: string) => readFileSync(path, 'utf-8');
const named = (path: string) => relative(SRC, path);

describe('the house', () => {
  it('begins each file with a sentence that says what it is for', () => {
    expect(code.filter((path) => !/^\/\/ .+\.$/m.test(textOf(path).split('\n').slice(0, 2).join('\n'))).map(named)).toEqual([]);
  });

  it('keeps files at 400 lines', () => {
    expect(code.filter((path) => textOf(path).split('\n').length > 401).map(named)).toEqual([]);
  });

  it('names no channel: they all come from the gateway', () => {
    const channels = readdirSync(join(ROOT, 'src/wunder_channels'), { withFileTypes: true })
      .filter((one) => one.isDirectory() && !one.name.startsWith('_'))
      .map((one) => one.name);
    expect(channels.length).toBeGreaterThan(3);
    const literal = new RegExp(`['"\`](${channels.join('|')}|qq)['"\`]`);
    expect(code.filter((path) => literal.test(textOf(path))).map(named)).toEqual([]);
  });

  it('runs no text as code and puts none into the page as HTML', () => {
    const forbidden = /dangerouslySetInnerHTML|\beval\(|new Function\(|\.innerHTML\b/;
    expect(code.filter((path) => forbidden.test(textOf(path))).map(named)).toEqual([]);
  });

  it('names no registry in the lock', () => {
    const lock = textOf(join(ROOT, 'console/package-lock.json'));
    expect(lock).not.toContain('"resolved"');
    expect(lock).not.toMatch(/registry\.|npmjs/);
  });

  it('says colours in tokens only', () => {
    const styles = files(SRC).filter((path) => path.endsWith('.css') && !path.endsWith('tokens.css'));
    // Logs are dark in both themes; shadows are the same in both.
    const loose = styles.filter((path) => /#[0-9a-f]{3,8}\b/i.test(textOf(path).replace(/\.log[^{]*\{[^}]*\}/g, '')));
    expect(loose.map(named)).toEqual([]);
  });
});
