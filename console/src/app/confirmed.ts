// Approvals, users and secrets ask for the password again; the call is then made once more by itself.
import { ApiError, take } from '../api/client';
import { signedInAgain, whoWaits } from './session';

export const PASSWORD_NEEDED = 'password_needed';

type Answer<T> = { data?: T; error?: unknown; response: Response };
type Asker = () => Promise<boolean>;
let ask: Asker | null = null;
let bring: (() => void) | null = null;
let waiting: ((asker: Asker) => void)[] = [];

/** Tell who asks for the password. Returns how to stop. */
export function whoAsks(asker: Asker): () => void {
  ask = asker;
  for (const tell of waiting.splice(0)) tell(asker);
  return () => {
    if (ask === asker) ask = null;
  };
}

/** Tell how to bring whoever asks, the first time it is needed. Returns how to stop. */
export function whoBrings(bringer: () => void): () => void {
  bring = bringer;
  return () => {
    if (bring === bringer) bring = null;
  };
}

async function found(): Promise<Asker | null> {
  if (ask || !bring) return ask;
  const coming = new Promise<Asker>((resolve) => waiting.push(resolve));
  bring();
  return coming;
}

/** Make a call; where the gateway wants the password again, ask for it and make the call anew. */
export async function act<T>(call: () => Promise<Answer<T>>): Promise<T> {
  return again(() => take(call()));
}

/** The same for calls that are not made by the typed client. Where the session has ended, wait for its return. */
export async function again<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401 && whoWaits()) {
      await signedInAgain();
      return again(call);
    }
    if (!(error instanceof ApiError) || error.code !== PASSWORD_NEEDED) throw error;
    const asker = await found();
    if (!asker || !(await asker())) throw error;
    return call();
  }
}
