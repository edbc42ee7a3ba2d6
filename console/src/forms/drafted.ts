// What is being written in a form: what the gateway has, what was changed, and what others changed meanwhile.
import { useCallback, useMemo, useState } from 'react';
import { differences, isAlike, merged, type Difference } from './differences';

type Json = Record<string, unknown>;

/** What every form of the gateway's things holds. */
export interface Written {
  config: Json;
  /** Pointers of the secrets that the gateway has. */
  saved: ReadonlySet<string>;
  cleared: ReadonlySet<string>;
}

interface State<D> {
  /** As the gateway had it when the reader began. */
  origin: D;
  /** The same with the defaults that the form filled in. */
  base: D;
  draft: D;
  /** The revision that all this is about. */
  rev: number;
}

/**
 * Return a draft of a thing with revisions, how to change it, and whether it differs from what it began with.
 *
 * A newer revision takes over as long as nothing was typed, or where it changed nothing that is shown; else
 * `theirs` says what somebody else changed, and `rev` stays the one that was read: the gateway refuses to write
 * over it until the reader has decided with `keepMine` or `takeTheirs`. `settle` is told what was saved of what was sent: what was typed since stays.
 */
export function useDrafted<R extends { rev: number }, D extends Written>(row: R | undefined, read: (row: R | undefined) => D) {
  const first = useMemo(() => read(row), [read, row]);
  const rev = row?.rev ?? 0;
  const [state, setState] = useState<State<D>>({ origin: first, base: first, draft: first, rev });
  const theirs = useMemo(
    () => (rev <= state.rev || isSame(state.draft, state.base) ? [] : foreign(state, first)),
    [rev, first, state],
  );
  // Older than what was saved here a moment ago: an answer that was on its way.
  if (rev > state.rev && !theirs.length) setState(isSame(state.draft, state.base) ? begin(first, rev) : onto(state, first, rev));
  const change = useCallback((changes: Partial<D>) => setState((old) => ({ ...old, draft: { ...old.draft, ...changes } })), []);
  const fill = useCallback(
    (config: Json, isByHand: boolean) =>
      setState((old) => {
        const draft = { ...old.draft, config };
        // Defaults that the form fills in are where one begins; once something was typed they are part of it.
        const isFirst = !isByHand && isSame(old.draft, old.base);
        return { ...old, draft, base: isFirst ? { ...old.base, config } : old.base };
      }),
    [],
  );
  return {
    draft: state.draft,
    rev: state.rev,
    isChanged: !isSame(state.draft, state.base),
    theirs,
    change,
    /** What a `SchemaForm` shows and changes of the draft. */
    form: {
      value: state.draft.config,
      saved: state.draft.saved,
      cleared: state.draft.cleared,
      change: fill,
      clear: (cleared: D['cleared']) => change({ cleared } as Partial<D>),
    },
    reset: useCallback(() => setState((old) => ({ ...old, draft: old.base })), []),
    settle: useCallback(
      (saved: R, sent: D) =>
        setState((old) => {
          const first = read(saved);
          return isSame(old.draft, sent) ? begin(first, saved.rev) : onto({ ...old, origin: sent, base: sent }, first, saved.rev);
        }),
      [read],
    ),
    keepMine: () => setState(onto(state, first, rev)),
    takeTheirs: () => setState(begin(first, rev)),
  };
}

/** Tell whether two drafts would be sent alike. */
export function isSame<D extends Written>(one: D, other: D): boolean {
  const plain = ({ saved: _saved, cleared, ...rest }: D) => ({ ...rest, cleared: [...cleared].sort() });
  return isAlike(plain(one), plain(other));
}

function begin<D>(first: D, rev: number): State<D> {
  return { origin: first, base: first, draft: first, rev };
}

/** Put what the reader changed onto a newer revision. */
function onto<D extends Written>(state: State<D>, first: D, rev: number): State<D> {
  const parts = [state.origin, state.base, first, state.draft].map(fields) as [Json, Json, Json, Json];
  const draft = { ...(merged(...parts) as unknown as D), saved: first.saved, cleared: state.draft.cleared };
  return { origin: first, base: first, draft, rev };
}

function foreign<D extends Written>(state: State<D>, first: D): Difference[] {
  const parts = [state.origin, state.base, first, state.draft].map(withSecrets) as [Json, Json, Json, Json];
  return differences(...parts);
}

function fields<D extends Written>(draft: D): Json {
  const { saved: _saved, cleared: _cleared, ...rest } = draft;
  return rest;
}

/** The fields with a mark where a secret is: that there is one is shown, which one never. */
function withSecrets<D extends Written>(draft: D): Json {
  const held = [...draft.saved].filter((one) => !draft.cleared.has(one));
  return { ...fields(draft), secrets: Object.fromEntries(held.map((one) => [one, true])) };
}
