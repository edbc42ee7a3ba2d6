// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { Pagination } from 'antd';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { Dressed } from '../src/app/Dressed';
import { ThemeProvider } from '../src/app/themeContext';
import { speak, startLanguage } from '../src/i18n';

beforeAll(async () => {
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => {}, removeEventListener: () => {} }));
  await startLanguage();
});
afterEach(cleanup);

it('keeps what was typed when the reader changes the language', async () => {
  await speak('en');
  render(
    <ThemeProvider>
      <Dressed>
        <input aria-label="name" />
        <Pagination total={100} />
      </Dressed>
    </ThemeProvider>,
  );
  fireEvent.change(screen.getByLabelText('name'), { target: { value: 'Shop' } });
  expect(await screen.findByTitle('Next Page')).toBeTruthy();
  await act(() => speak('zh-CN'));
  expect(await screen.findByTitle('下一页')).toBeTruthy();
  expect((screen.getByLabelText('name') as HTMLInputElement).value).toBe('Shop');
});
