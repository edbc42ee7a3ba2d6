// How the console is built: into the Python package, with relative names that carry a hash.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A development server speaks to a real gateway; with a token file it needs no sign-in. */
function gateway() {
  const token = process.env.WUNDER_DEV_TOKEN_FILE;
  const headers: Record<string, string> = token
    ? { Authorization: `Bearer ${readFileSync(token, 'utf-8').trim()}` }
    : {};
  return { target: process.env.WUNDER_DEV_URL ?? 'http://127.0.0.1:8080', changeOrigin: true, headers };
}

const HEAVY = ['Chart', 'Confirm', 'Filters', 'Sortable'];

/** Parts of our own that bring no controls of Ant Design but its button. */
function isLightPart(id: string): boolean {
  const name = /console\/src\/(?:components|api)\/(\w+)\.tsx?$/.exec(id)?.[1];
  return name !== undefined && !HEAVY.includes(name);
}

export default defineConfig({
  base: '/console/',
  plugins: [react()],
  resolve: {
    alias: {
      // @rjsf/core re-exports a test fixture that imports this; ajv needs `unsafe-eval`, which our CSP forbids.
      '@rjsf/validator-ajv8': here('src/forms/noAjv.ts'),
    },
  },
  build: {
    outDir: here('../src/wunder/console_build'),
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: false,
    // Nothing inline: the page's CSP allows scripts from files of ours only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Each file costs a round trip: what every page loads is one, what most pages share of ours another.
          // What is heavy and not on every page stays apart, and so does what imports it.
          groups: [
            { name: 'shell', tags: ['$initial'], includeDependenciesRecursively: false, priority: 2 },
            { name: 'parts', test: isLightPart, includeDependenciesRecursively: false, priority: 1 },
          ],
        },
      },
    },
  },
  server: { proxy: { '^/(wunder|healthz|readyz|metrics)': gateway() } },
  preview: { proxy: { '^/(wunder|healthz|readyz|metrics)': gateway() } },
  test: {
    include: ['tests/**/*.test.{ts,tsx}'],
    restoreMocks: true,
    // Taken through the build, so that the alias above holds for it.
    server: { deps: { inline: [/@rjsf/] } },
  },
});
