// @vitest-environment jsdom
// A form on its way to the gateway.
import { act, cleanup, renderHook } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../src/api/client';
import { useSending } from '../src/forms/sending';

afterEach(cleanup);

const fault = { pointer: '/display_name', code: 'text', message: 'At most 100 printable characters.' };

describe('a form that is sent', () => {
  it('is not sent again while it is on its way', async () => {
    const { result } = renderHook(() => useSending());
    let end = () => {};
    const call = vi.fn(() => new Promise<void>((resolve) => (end = resolve)));
    act(() => void result.current.send(call));
    expect(result.current.busy).toBe(true);
    act(() => void result.current.send(call));
    await act(async () => end());
    expect(call).toHaveBeenCalledTimes(1);
    expect(result.current.busy).toBe(false);
  });

  it('says what is wrong in its fields, else what went wrong, and forgets it with the next try', async () => {
    const { result } = renderHook(() => useSending());
    await act(() => result.current.send(() => Promise.reject(new ApiError(422, { errors: [fault] }))));
    expect([result.current.faults, result.current.error]).toEqual([[fault], null]);
    const away = new ApiError(0, {});
    await act(() => result.current.send(() => Promise.reject(away)));
    expect([result.current.faults, result.current.error]).toEqual([[], away]);
    await act(() => result.current.send(() => Promise.resolve()));
    expect([result.current.faults, result.current.error]).toEqual([[], null]);
  });

  it('sees what somebody else saved before it says that they did', async () => {
    const see = vi.fn(() => Promise.resolve());
    const { result } = renderHook(() => useSending(see));
    const stale = new ApiError(409, { code: 'rev' });
    await act(() => result.current.send(() => Promise.reject(stale)));
    expect(see).toHaveBeenCalledTimes(1);
    expect(result.current.error).toBe(stale);
  });
});
