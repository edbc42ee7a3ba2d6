// The one way to the gateway: typed calls, the CSRF header, and answers that are no success as errors.
import createClient, { type Middleware } from 'openapi-fetch';
import type { paths, PlaceOfFault, Problem } from './schema';

export const CSRF_HEADER = 'X-Wunder-CSRF';
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What the gateway answered when it did not do what was asked; `status` 0: it was not reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly problem: Partial<Problem>;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.name = 'ApiError';
    this.status = status;
    this.code = problem.code ?? (status === 0 ? 'unreachable' : 'unknown');
    this.problem = problem;
  }

  /** The id that finds the line in the gateway's log. */
  get requestId(): string {
    return this.problem.trace_id ?? '';
  }

  get faults(): PlaceOfFault[] {
    return this.problem.errors ?? [];
  }

  /** What a conflict is with: the present state, or the impact to confirm. */
  get state(): Record<string, unknown> {
    return (this.problem.state as Record<string, unknown> | undefined) ?? {};
  }
}

let csrf = '';
let language = 'en';
let onSignedOut: () => void = () => undefined;

/** Set what every writing call carries; empty when nobody is signed in. */
export function setCsrf(token: string): void {
  csrf = token;
}

/** Set the language of texts that the gateway resolves: forms, names of channels. */
export function setApiLanguage(locale: string): void {
  language = locale;
}

/** Tell what to do when the gateway says that the session is over. */
export function whenSignedOut(act: () => void): void {
  onSignedOut = act;
}

/** Return the headers that a call outside the typed client needs (uploads with progress). */
export function callHeaders(method: string): Record<string, string> {
  const headers: Record<string, string> = { 'Accept-Language': language };
  if (csrf && !SAFE.has(method)) headers[CSRF_HEADER] = csrf;
  return headers;
}

const headers: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(callHeaders(request.method))) {
      request.headers.set(name, value);
    }
    return request;
  },
};

export const api = createClient<paths>({ baseUrl: '', credentials: 'same-origin' });
api.use(headers);

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** Return the body of a success. Raises: ApiError for everything else. */
export async function take<T>(answer: Promise<Answer<T>>): Promise<T> {
  let got: Answer<T>;
  try {
    got = await answer;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiError(0, { title: 'The gateway was not reached.' });
  }
  if (got.response.ok) return got.data as T;
  throw failure(got.response, got.error);
}

/** Make the error of an answer, and act where the session has ended. */
export function failure(response: { status: number; url: string }, body: unknown): ApiError {
  const problem = typeof body === 'object' && body !== null ? (body as Partial<Problem>) : {};
  // A wrong password is a 401 too: only a lost session sends the reader to the sign-in page.
  if (response.status === 401 && !response.url.endsWith('/wunder/session')) onSignedOut();
  return new ApiError(response.status, problem);
}
