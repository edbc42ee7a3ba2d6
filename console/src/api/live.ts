// One event stream for the whole page: what happened at the gateway, told to whoever listens.

export type LiveState = 'connecting' | 'live' | 'lost' | 'off';

export interface LiveEvent {
  id: string;
  type: string;
  body: Record<string, unknown>;
}

type Listener = (event: LiveEvent) => void;

/** What the page shows of the stream. `since`: Unix ms of the last change of state. */
export interface LiveStatus {
  state: LiveState;
  since: number;
  lastAt: number;
}

const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/** An EventSource that survives what the browser's own gives up on, and fans out what it hears. */
export class LiveStream {
  private source: EventSource | null = null;
  private listeners = new Set<Listener>();
  private watchers = new Set<() => void>();
  private status: LiveStatus = { state: 'off', since: Date.now(), lastAt: 0 };
  private url = '';
  private lastId = '';
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Open the stream; an open one to the same address stays as it is. */
  start(url: string): void {
    if (this.url === url) return;
    this.stop();
    this.url = url;
    this.open();
    // A cable that was pulled leaves the socket open for minutes; the browser knows at once.
    window.addEventListener('offline', this.fail);
    window.addEventListener('online', this.reopen);
  }

  stop(): void {
    this.url = '';
    this.lastId = '';
    this.close();
    window.removeEventListener('offline', this.fail);
    window.removeEventListener('online', this.reopen);
    this.to('off');
  }

  /** Hear every event from now on. Returns how to stop hearing. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** For useSyncExternalStore. */
  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  snapshot = (): LiveStatus => this.status;

  private open(): void {
    this.close();
    if (this.status.state !== 'lost') this.to('connecting');
    // A new EventSource does not send Last-Event-ID by itself: the address carries it.
    const url = new URL(this.url, location.origin);
    if (this.lastId) url.searchParams.set('after', this.lastId);
    const source = new EventSource(url, { withCredentials: true });
    this.source = source;
    source.onopen = () => {
      this.failures = 0;
      this.to('live', true);
    };
    source.onerror = this.fail;
    for (const type of LIVE_TYPES) {
      source.addEventListener(type, (message) => this.take(message, type));
    }
  }

  private take(message: MessageEvent<string>, type: string): void {
    if (message.lastEventId) this.lastId = message.lastEventId;
    this.to('live', true);
    if (type === 'hello') return;
    let body: Record<string, unknown>;
    try {
      body = JSON.parse(message.data) as Record<string, unknown>;
    } catch {
      return;
    }
    const event = { id: message.lastEventId, type, body };
    // The gateway could not say all that was missed: what is newest now is where to go on from.
    if (type === 'reset') this.lastId = '';
    for (const listener of this.listeners) listener(event);
  }

  private reopen = (): void => {
    if (!this.url || this.status.state === 'live') return;
    clearTimeout(this.timer);
    this.failures = 0;
    this.open();
  };

  private fail = (): void => {
    this.close();
    this.to('lost');
    if (!this.url) return;
    const wait = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)];
    this.timer = setTimeout(() => this.open(), wait);
  };

  private close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  private to(state: LiveState, heard = false): void {
    const now = Date.now();
    const changed = state !== this.status.state;
    this.status = {
      state,
      since: changed ? now : this.status.since,
      lastAt: heard ? now : this.status.lastAt,
    };
    if (changed) for (const watcher of this.watchers) watcher();
  }
}

/** What the stream calls its events: topics, and what it says about itself. */
const LIVE_TYPES = [
  'plugin',
  'provider',
  'account',
  'agent',
  'binding',
  'delivery',
  'webhook',
  'people',
  'gateway',
  'figures',
  'hello',
  'reset',
  'bye',
];

export const live = new LiveStream();
