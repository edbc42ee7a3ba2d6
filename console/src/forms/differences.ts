// What two people changed in the same thing at once: found field by field, and put together again.

type Json = Record<string, unknown>;

/** One field that somebody else changed; `isClash`: the reader changed it too, to something else. */
export interface Difference {
  pointer: string;
  before: unknown;
  theirs: unknown;
  mine: unknown;
  isClash: boolean;
}

/**
 * Return what somebody else changed since the reader began.
 *
 * `origin` is what the gateway had then, `base` the same with the form's defaults, `theirs` what it has now,
 * `mine` what the reader wrote.
 */
export function differences(origin: Json, base: Json, theirs: Json, mine: Json): Difference[] {
  const [first, filled, now, own] = [leaves(origin), leaves(base), leaves(theirs), leaves(mine)];
  return [...new Set([...first.keys(), ...now.keys()])]
    .filter((pointer) => !isAlike(first.get(pointer), now.get(pointer)))
    .map((pointer) => ({
      pointer,
      before: first.get(pointer),
      theirs: now.get(pointer),
      mine: own.get(pointer),
      isClash: !isAlike(filled.get(pointer), own.get(pointer)) && !isAlike(now.get(pointer), own.get(pointer)),
    }));
}

/** Return what the reader wrote, with what only somebody else changed taken over. */
export function merged(origin: Json, base: Json, theirs: Json, mine: Json): Json {
  let out = mine;
  for (const one of differences(origin, base, theirs, mine)) {
    const isMineToo = !isAlike(leaves(base).get(one.pointer), one.mine);
    if (!isMineToo) out = withLeaf(out, one.pointer.split('/').slice(1).map(unescape), one.theirs);
  }
  return out;
}

/** The same whatever the order of names; lists are compared as a whole. */
export function isAlike(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, part]) => [name, sorted(part)]),
  );
}

function leaves(value: Json): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const walk = (node: unknown, pointer: string) => {
    if (isObject(node)) for (const [name, part] of Object.entries(node)) walk(part, `${pointer}/${escape(name)}`);
    else if (node !== undefined) found.set(pointer, node);
  };
  walk(value, '');
  return found;
}

function withLeaf(value: Json, names: string[], leaf: unknown): Json {
  const [name, ...deeper] = names;
  if (name === undefined) return value;
  const inner = value[name];
  const next = deeper.length ? withLeaf(isObject(inner) ? inner : {}, deeper, leaf) : leaf;
  const { [name]: _gone, ...rest } = value;
  return next === undefined ? rest : { ...value, [name]: next };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escape(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function unescape(name: string): string {
  return name.replaceAll('~1', '/').replaceAll('~0', '~');
}
