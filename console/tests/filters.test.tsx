// @vitest-environment jsdom
// A search box whose words live in the address, which may answer late.
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SearchFilter } from '../src/components/Filters';

const address = vi.hoisted(() => ({ search: {} as Record<string, string>, change: (_: Record<string, string>) => {} }));
vi.mock('../src/app/address', () => ({ useAddress: () => [address.search, address.change] }));

const box = () => <SearchFilter name="q" placeholder="find" />;
const field = () => screen.getByLabelText('find') as HTMLInputElement;
const type = (text: string) => {
  fireEvent.change(field(), { target: { value: text } });
  act(() => vi.advanceTimersByTime(400));
};

beforeEach(() => {
  vi.useFakeTimers();
  address.search = {};
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

it('keeps what was typed while an earlier word was on its way into the address', () => {
  const { rerender } = render(box());
  type('ab');
  type('abc');
  address.search = { q: 'ab' };
  rerender(box());
  expect(field().value).toBe('abc');
  address.search = { q: 'abc' };
  rerender(box());
  expect(field().value).toBe('abc');
});

it('follows the address where the reader goes back or clears the filters', () => {
  const { rerender } = render(box());
  type('ab');
  address.search = { q: 'ab' };
  rerender(box());
  address.search = {};
  rerender(box());
  expect(field().value).toBe('');
});
