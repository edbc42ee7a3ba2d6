// Secrets in a form: the gateway says only that one is set; empty keeps it, "clear" removes it.

type Json = Record<string, unknown>;

/** Split what the gateway shows into fields to edit and pointers of secrets that are set. */
export function fromGateway(config: unknown): { value: Json; saved: Set<string> } {
  const saved = new Set<string>();
  const strip = (node: unknown, pointer: string): unknown => {
    if (isMark(node)) {
      if (node.set) saved.add(pointer);
      return undefined;
    }
    if (Array.isArray(node)) return node.map((one, index) => strip(one, `${pointer}/${index}`));
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(
      Object.entries(node)
        .map(([name, part]) => [name, strip(part, `${pointer}/${name}`)] as const)
        .filter(([, part]) => part !== undefined),
    );
  };
  return { value: (strip(config ?? {}, '') as Json | undefined) ?? {}, saved };
}

/** Make what is sent: absent secrets stay, cleared ones are null. */
export function toGateway(value: Json, cleared: ReadonlySet<string>): Json {
  const out = structuredClone(value);
  for (const pointer of cleared) {
    const names = pointer.split('/').slice(1);
    const last = names.pop();
    if (last === undefined) continue;
    let place: Json = out;
    for (const name of names) place = (place[name] ??= {}) as Json;
    place[last] = null;
  }
  return out;
}

function isMark(node: unknown): node is { set: boolean } {
  return (
    typeof node === 'object' && node !== null && 'set' in node && Object.keys(node).every((key) => key === 'set' || key === 'hmac8')
  );
}
