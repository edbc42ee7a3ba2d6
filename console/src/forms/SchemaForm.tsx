// The form of a channel's account, or of an agent, from the JSON Schema that the gateway serves.
import Form from '@rjsf/core';
import type { ErrorSchema } from '@rjsf/utils';
import { Input } from 'antd';
import { useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Field } from '../components/Field';
import { Icon } from '../components/Icon';
import { placeFaults, type Fault } from './faults';
import './form.css';
import { prepare, type Audience } from './normalize';
import { templates } from './templates';
import { makeValidator } from './validator';
import { DisplayField, widgets, type FormFacts } from './widgets';
import { useFaultWords } from './words';

type Json = Record<string, unknown>;

export interface SchemaFormProps {
  /** Null: the channel has no schema, its configuration is edited as JSON. */
  schema: unknown;
  value: Json;
  saved: ReadonlySet<string>;
  cleared: ReadonlySet<string>;
  /** `isByHand` false: the form filled in defaults, nobody typed. */
  change: (value: Json, isByHand: boolean) => void;
  clear: (cleared: Set<string>) => void;
  submit: () => void;
  faults: Fault[];
  /** Where the value lies in the request's body: "/provider_config". */
  prefix: string;
  audience: Audience;
  formId: string;
  webhookUrl?: string;
  display?: Json;
  readOnly?: boolean;
}

export function SchemaForm(props: SchemaFormProps) {
  if (props.schema === null || props.schema === undefined) return <RawForm {...props} />;
  return <DrawnForm {...props} />;
}

function DrawnForm(props: SchemaFormProps) {
  const { i18n } = useTranslation();
  const { schema, audience, saved, cleared, clear, faults, prefix } = props;
  const held = useMemo(() => new Set([...saved].filter((one) => !cleared.has(one))), [saved, cleared]);
  const prepared = useMemo(() => prepare(schema, audience, held, i18n.language), [schema, audience, held, i18n.language]);
  const say = useFaultWords();
  const validator = useMemo(() => makeValidator(say), [say]);
  const placed = useMemo(
    () => placeFaults(faults, prefix, (fault) => say(fault.code, undefined, fault.message)),
    [faults, prefix, say],
  );
  const facts: FormFacts = {
    saved,
    cleared,
    clear: (pointer, isCleared) => {
      const next = new Set(cleared);
      if (isCleared) next.add(pointer);
      else next.delete(pointer);
      clear(next);
    },
    webhookUrl: props.webhookUrl,
    display: props.display,
  };
  const place = useRef<HTMLDivElement>(null);
  return (
    <div ref={place}>
      <Form
        id={props.formId}
        className="schema-form"
        schema={prepared.schema}
        uiSchema={{ ...prepared.ui, 'ui:submitButtonOptions': { norender: true } }}
        formData={props.value}
        validator={validator}
        templates={templates}
        widgets={widgets}
        fields={{ display: DisplayField }}
        formContext={facts}
        extraErrors={placed.fields as ErrorSchema<Json>}
        extraErrorsBlockSubmit={false}
        showErrorList={false}
        noHtml5Validate
        readonly={props.readOnly}
        experimental_defaultFormStateBehavior={{ emptyObjectFields: 'skipEmptyDefaults' }}
        onChange={(event, fieldId) => props.change((event.formData ?? {}) as Json, fieldId !== undefined)}
        onError={() => focusFirstFault(place.current)}
        onSubmit={() => props.submit()}
      >
        <></>
      </Form>
      <Rest faults={placed.rest} say={say} />
    </div>
  );
}

/** Faults that belong to no field of the form. */
function Rest(props: { faults: Fault[]; say: ReturnType<typeof useFaultWords> }) {
  if (!props.faults.length) return null;
  return (
    <div className="note err" role="alert">
      <Icon name="warning" />
      <ul className="plain">
        {props.faults.map((fault) => (
          <li key={fault.pointer + fault.code}>
            {fault.pointer && <code>{fault.pointer}</code>} {props.say(fault.code, undefined, fault.message)}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Move the reader to the first field that has a fault. */
export function focusFirstFault(place: HTMLElement | null): void {
  // After the faults are drawn: they come with the same change.
  requestAnimationFrame(() => {
    const first = place?.querySelector<HTMLElement>('[aria-invalid="true"], .fault');
    first?.closest('details')?.setAttribute('open', '');
    first?.scrollIntoView({ block: 'center' });
    first?.focus();
  });
}

function RawForm(props: SchemaFormProps) {
  const { t } = useTranslation();
  const [text, setText] = useState(() => JSON.stringify(props.value, null, 2));
  const [fault, setFault] = useState('');
  const say = useFaultWords();
  return (
    <form
      id={props.formId}
      className="schema-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!fault) props.submit();
      }}
    >
      <Field label={t('form.raw')} hint={t('form.rawHint')} fault={fault}>
        <Input.TextArea
          className="mono"
          autoSize={{ minRows: 8, maxRows: 24 }}
          spellCheck={false}
          value={text}
          readOnly={props.readOnly}
          onChange={(event) => {
            setText(event.target.value);
            try {
              const value: unknown = JSON.parse(event.target.value || '{}');
              if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('object');
              setFault('');
              props.change(value as Json, true);
            } catch {
              setFault(t('form.fault.json'));
            }
          }}
        />
      </Field>
      <Rest faults={props.faults} say={say} />
    </form>
  );
}
