// A channel's account schema made ready for the form: order, secrets, choices with titles, who sees what.
import type { RJSFSchema, UiSchema } from '@rjsf/utils';

export type Audience = 'user' | 'admin';
type Node = Record<string, unknown>;

export interface Prepared {
  schema: RJSFSchema;
  ui: UiSchema;
  /** JSON pointers of the secrets. */
  secrets: string[];
}

/** Kinds of `x-display`: shown, not typed. */
export const DISPLAYS = ['webhook-url', 'outbound-ips', 'qr-login', 'doc-link'] as const;

/**
 * Return schema and hints for the form library, texts in `locale`.
 *
 * `saved` are pointers of secrets the gateway has: they may stay empty although they are required.
 */
export function prepare(schema: unknown, audience: Audience, saved: ReadonlySet<string>, locale: string): Prepared {
  const secrets: string[] = [];
  const walk = (raw: unknown, pointer: string): [Node, UiSchema] => {
    if (!isNode(raw)) return [{}, {}];
    const node = inLanguage(raw, locale);
    const out: Node = {};
    for (const [name, part] of Object.entries(node)) {
      // `format` is checked by the gateway, which knows more of them than a browser should.
      if (name !== '$schema' && name !== '$id' && name !== 'x-i18n' && name !== 'format') out[name] = part;
    }
    const ui: UiSchema = hints(node, out, pointer);
    if (node.writeOnly === true) secrets.push(pointer);
    if (isNode(node.properties)) {
      const properties: Node = {};
      for (const [name, part] of Object.entries(node.properties)) {
        if (audience === 'user' && isNode(part) && part['x-audience'] === 'admin') continue;
        const [child, childUi] = walk(part, `${pointer}/${escape(name)}`);
        properties[name] = child;
        ui[name] = childUi;
      }
      out.properties = properties;
      const order = orderOf(node, properties);
      if (order) ui['ui:order'] = [...order, '*'];
      if (Array.isArray(node.required)) {
        out.required = node.required.filter(
          (name): name is string =>
            typeof name === 'string' && name in properties && !saved.has(`${pointer}/${escape(name)}`),
        );
      }
    }
    if (isNode(node.items)) {
      const [child, childUi] = walk(node.items, `${pointer}/*`);
      out.items = child;
      ui.items = childUi;
    }
    for (const word of ['oneOf', 'anyOf', 'allOf'] as const) {
      const branches = node[word];
      if (!Array.isArray(branches)) continue;
      if (branches.every((one) => isNode(one) && 'const' in one)) {
        out.type ??= typeOf((branches[0] as Node).const);
        continue;
      }
      // What is secret in one branch is secret in the form, whichever branch is chosen.
      const walked = branches.map((one) => walk(one, pointer));
      out[word] = walked.map(([child]) => child);
      for (const [, branchUi] of walked) Object.assign(ui, { ...branchUi, ...ui });
    }
    for (const word of ['then', 'else'] as const) {
      if (!isNode(node[word])) continue;
      const [child, childUi] = walk(node[word], pointer);
      out[word] = child;
      Object.assign(ui, { ...childUi, ...ui });
    }
    return [out, ui];
  };
  const [made, ui] = walk(schema, '');
  made.type ??= 'object';
  delete made.title;
  delete made.description;
  return { schema: made as RJSFSchema, ui, secrets: [...new Set(secrets)] };
}

/** A node with its texts in a language, where it brings them; a locale matches exactly, then by language. */
function inLanguage(node: Node, locale: string): Node {
  const texts = node['x-i18n'];
  if (!isNode(texts)) return node;
  const key = locale in texts ? locale : Object.keys(texts).find((one) => one.split('-')[0] === locale.split('-')[0]);
  const own = key ? texts[key] : undefined;
  return isNode(own) ? { ...node, ...own } : node;
}

function hints(node: Node, out: Node, pointer: string): UiSchema {
  const ui: UiSchema = {};
  const display = node['x-display'];
  if (typeof display === 'string' && (DISPLAYS as readonly string[]).includes(display)) {
    ui['ui:field'] = 'display';
    return ui;
  }
  if (node.writeOnly === true) {
    ui['ui:widget'] = 'secret';
    ui['ui:options'] = { pointer };
    out.type ??= 'string';
  } else if (out.type === 'string' && !('enum' in out) && !node.format && !node.pattern && Number(out.maxLength ?? 0) > 500) {
    ui['ui:widget'] = 'textarea';
  }
  const titles = node['x-enum-titles'];
  if (Array.isArray(node.enum) && Array.isArray(titles)) {
    out.oneOf = node.enum.map((value: unknown, index) => ({ const: value, title: String(titles[index] ?? value) }));
    delete out.enum;
  }
  if (Array.isArray(out.enum)) out.type ??= typeOf(out.enum[0]);
  return ui;
}

/** The order of a form: a list of names, or numbers at the properties themselves. */
function orderOf(node: Node, properties: Node): string[] | undefined {
  const order = node['x-order'];
  if (Array.isArray(order)) return order.filter((name): name is string => typeof name === 'string' && name in properties);
  const numbered = Object.entries(properties).filter(([, part]) => isNode(part) && typeof part['x-order'] === 'number');
  if (!numbered.length) return undefined;
  const place = ([, part]: [string, unknown]) => (part as Node)['x-order'] as number;
  return numbered.sort((one, other) => place(one) - place(other)).map(([name]) => name);
}

function typeOf(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'boolean' ? 'boolean' : 'string';
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escape(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
