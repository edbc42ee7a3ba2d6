// What a schema calls a field and its choices, in the reader's language.
import { prepare } from './normalize';

type Node = Record<string, unknown>;

export interface NamedField {
  title: string;
  choices: ReadonlyMap<unknown, string>;
}

/** Return the names of the field at a JSON pointer; without a schema, the last part of the pointer. */
export function fieldOf(schema: unknown, pointer: string, locale: string): NamedField {
  const names = pointer.split('/').slice(1).map((one) => one.replaceAll('~1', '/').replaceAll('~0', '~'));
  const node = names.reduce<Node | undefined>(deeper, prepare(schema, 'admin', new Set(), locale).schema as Node);
  const choices = Array.isArray(node?.oneOf) ? (node.oneOf as Node[]) : [];
  return {
    title: (node?.title as string | undefined) ?? names.at(-1) ?? '',
    choices: new Map(choices.filter((one) => 'const' in one && typeof one.title === 'string').map((one) => [one.const, one.title as string])),
  };
}

/** A field may stand in a branch that is chosen by another one. */
function deeper(node: Node | undefined, name: string): Node | undefined {
  if (!node) return undefined;
  const own = (node.properties as Record<string, Node> | undefined)?.[name];
  if (own) return own;
  const branches = [node.then, node.else, ...(['oneOf', 'anyOf', 'allOf'] as const).flatMap((one) => (Array.isArray(node[one]) ? node[one] : []))];
  for (const branch of branches as (Node | undefined)[]) {
    const found = deeper(branch, name);
    if (found) return found;
  }
  return undefined;
}
