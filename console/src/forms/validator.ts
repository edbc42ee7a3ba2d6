// Checks a form in the browser without generating code, so that a strict CSP holds.
import { Validator, type OutputUnit, type Schema } from '@cfworker/json-schema';
import {
  ErrorSchemaBuilder,
  type CustomValidator,
  type ErrorTransformer,
  type RJSFSchema,
  type RJSFValidationError,
  type UiSchema,
  type ValidationData,
  type ValidatorType,
} from '@rjsf/utils';

/** Keywords whose own error only says that something inside is wrong. */
const WRAPPERS = new Set([
  'properties', 'patternProperties', 'additionalProperties', 'items', 'prefixItems', 'contains', 'allOf', 'if',
  'then', 'else', '$ref', 'dependentSchemas', 'propertyNames', 'unevaluatedProperties',
]);

/** Says a fault in the reader's language from its keyword; never from the value. */
export type Wording = (keyword: string, limit: unknown) => string;

export function makeValidator(say: Wording): ValidatorType {
  const known = new WeakMap<object, Validator>();
  const of = (schema: RJSFSchema): Validator => {
    let made = known.get(schema);
    if (!made) known.set(schema, (made = new Validator(schema as Schema, '2020-12', false)));
    return made;
  };

  const rawValidation = (schema: RJSFSchema, formData?: unknown) => {
    try {
      // What JSON cannot hold (undefined) is absent, as it will be in the request.
      const plain = formData === undefined ? {} : JSON.parse(JSON.stringify(formData));
      const { valid, errors } = of(schema).validate(plain);
      return { errors: valid ? [] : errors };
    } catch (error) {
      return { errors: [], validationError: error as Error };
    }
  };

  return {
    rawValidation: rawValidation as ValidatorType['rawValidation'],
    isValid(schema, formData, rootSchema) {
      try {
        const whole = rootSchema && schema !== rootSchema ? { ...schema, $defs: rootSchema.$defs } : schema;
        return of(whole as RJSFSchema).validate(formData === undefined ? {} : formData).valid;
      } catch {
        return false;
      }
    },
    validateFormData(
      formData: unknown,
      schema: RJSFSchema,
      _custom?: CustomValidator,
      transform?: ErrorTransformer,
      ui?: UiSchema,
    ): ValidationData<unknown> {
      const raw = rawValidation(schema, formData).errors as OutputUnit[];
      const faults = distinct(raw.filter((unit) => !WRAPPERS.has(unit.keyword)).map((unit) => fault(unit, schema, say)));
      const placed = new ErrorSchemaBuilder();
      for (const { path, error } of faults) placed.addErrors(error.message ?? '', path);
      const errors = faults.map((one) => one.error);
      return { errors: transform ? transform(errors, ui) : errors, errorSchema: placed.ErrorSchema };
    },
  };
}

interface Placed {
  path: string[];
  error: RJSFValidationError;
}

function fault(unit: OutputUnit, schema: RJSFSchema, say: Wording): Placed {
  let path = unit.instanceLocation.replace(/^#/, '').split('/').slice(1).map(decode);
  if (unit.keyword === 'required' || unit.keyword === 'dependentRequired') {
    const missing = /"((?:[^"\\]|\\.)*)"/.exec(unit.error)?.[1];
    if (missing) path = [...path, missing];
  }
  const message = say(unit.keyword, limitOf(unit, schema));
  const property = `.${path.join('.')}`;
  return { path, error: { name: unit.keyword, property, message, params: {}, stack: message, schemaPath: unit.keywordLocation } };
}

/** The value of the keyword in the schema: what the text may name, because it is not the reader's. */
function limitOf(unit: OutputUnit, schema: RJSFSchema): unknown {
  let node: unknown = schema;
  for (const name of unit.keywordLocation.replace(/^#/, '').split('/').slice(1).map(decode)) {
    if (typeof node !== 'object' || node === null) return undefined;
    node = (node as Record<string, unknown>)[name];
  }
  return typeof node === 'object' ? undefined : node;
}

/** One fault a field is enough to begin with. */
function distinct(faults: Placed[]): Placed[] {
  const seen = new Set<string>();
  return faults.filter(({ path }) => {
    const key = JSON.stringify(path);
    return seen.has(key) ? false : seen.add(key);
  });
}

function decode(name: string): string {
  return decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~');
}
