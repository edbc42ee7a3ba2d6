// Faults from the gateway, at the fields they belong to; what has no field stands above the form.
import type { ErrorSchema } from '@rjsf/utils';

export interface Fault {
  pointer: string;
  code: string;
  message: string;
}

/** Sort faults by place. `prefix` is where the form's value lies in the request body. */
export function placeFaults(faults: Fault[], prefix: string, say: (fault: Fault) => string) {
  const fields: ErrorSchema = {};
  const rest: Fault[] = [];
  for (const fault of faults) {
    const pointer = inside(fault.pointer, prefix);
    const names = pointer?.split('/').slice(1).map(unescape) ?? [];
    if (!names.length) {
      rest.push(fault);
      continue;
    }
    let place: Record<string, unknown> = fields as Record<string, unknown>;
    for (const name of names) place = (place[name] ??= {}) as Record<string, unknown>;
    place.__errors = [...((place.__errors as string[] | undefined) ?? []), say(fault)];
  }
  return { fields, rest };
}

function inside(pointer: string, prefix: string): string | null {
  if (!prefix) return pointer;
  return pointer.startsWith(`${prefix}/`) ? pointer.slice(prefix.length) : null;
}

function unescape(name: string): string {
  return name.replaceAll('~1', '/').replaceAll('~0', '~');
}
