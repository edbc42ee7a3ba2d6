// Sending a form: one call at a time, and what the gateway found wrong with it.
import { useState } from 'react';
import { ApiError } from '../api/client';
import type { Fault } from './faults';
import { isStale } from './Meanwhile';

/** Return how to send a form, and what came of it. `seeTheirs`: fetch what somebody else saved first. */
export function useSending(seeTheirs?: () => Promise<unknown>) {
  const [faults, setFaults] = useState<Fault[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const send = async (call: () => Promise<unknown>): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setFaults([]);
    setError(null);
    try {
      await call();
    } catch (caught) {
      // What they saved is fetched first: the form then says what differs.
      if (isStale(caught)) await seeTheirs?.();
      if (caught instanceof ApiError && caught.faults.length) setFaults(caught.faults);
      else setError(caught);
    } finally {
      setBusy(false);
    }
  };
  return { faults, error, busy, send };
}
