// Approvals, users and secrets ask for the password again; the call is then made once more by itself.
import { ApiError, take } from '../api/client';

export const PASSWORD_NEEDED = 'password_needed';

type Answer<T> = { data?: T; error?: unknown; response: Response };
let ask: (() => Promise<boolean>) | null = null;

/** Tell who asks for the password. Returns how to stop. */
export function whoAsks(asker: () => Promise<boolean>): () => void {
  ask = asker;
  return () => {
    if (ask === asker) ask = null;
  };
}

/** Make a call; where the gateway wants the password again, ask for it and make the call anew. */
export async function act<T>(call: () => Promise<Answer<T>>): Promise<T> {
  return again(() => take(call()));
}

/** The same for calls that are not made by the typed client. */
export async function again<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== PASSWORD_NEEDED || !ask) throw error;
    if (!(await ask())) throw error;
    return call();
  }
}
