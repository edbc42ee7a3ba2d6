// The controls of a schema's form.
import type { FieldProps, RegistryWidgetsType, WidgetProps } from '@rjsf/utils';
import { Button, Checkbox, Input, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { CopyButton } from '../components/Facts';
import { Icon } from '../components/Icon';
import { describedBy } from './templates';

/** What the form knows besides its value. */
export interface FormFacts {
  saved: ReadonlySet<string>;
  cleared: ReadonlySet<string>;
  clear: (pointer: string, isCleared: boolean) => void;
  webhookUrl?: string;
  display?: Record<string, unknown>;
}

function common(props: WidgetProps) {
  return {
    id: props.id,
    name: props.htmlName ?? props.id,
    disabled: props.disabled || props.readonly,
    'aria-describedby': describedBy(props.id, !!props.rawErrors?.length),
    'aria-invalid': props.rawErrors?.length ? ('true' as const) : undefined,
    'aria-required': props.required || undefined,
    status: props.rawErrors?.length ? ('error' as const) : undefined,
  };
}

function examplesOf(props: WidgetProps): string[] {
  const examples = props.schema.examples;
  return Array.isArray(examples) ? examples.map(String) : [];
}

function TextWidget(props: WidgetProps) {
  // The library asks for a text widget for numbers too.
  if (props.schema.type === 'number' || props.schema.type === 'integer') return <NumberWidget {...props} />;
  return <LineWidget {...props} />;
}

function LineWidget(props: WidgetProps) {
  const examples = examplesOf(props);
  const list = examples.length ? `${props.id}-examples` : undefined;
  return (
    <>
      <Input
        {...common(props)}
        list={list}
        autoComplete="off"
        spellCheck={false}
        value={(props.value as string | undefined) ?? ''}
        placeholder={props.placeholder}
        onChange={(event) => props.onChange(event.target.value === '' ? props.options.emptyValue : event.target.value)}
        onBlur={() => props.onBlur(props.id, props.value)}
      />
      {list && (
        <datalist id={list}>
          {examples.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </>
  );
}

function NumberWidget(props: WidgetProps) {
  const { minimum, maximum, type } = props.schema;
  return (
    <Input
      {...common(props)}
      type="number"
      inputMode="decimal"
      min={minimum}
      max={maximum}
      step={type === 'integer' ? 1 : 'any'}
      style={{ maxWidth: 200 }}
      value={(props.value as number | undefined) ?? ''}
      onChange={(event) => props.onChange(event.target.value === '' ? undefined : event.target.value)}
      onBlur={() => props.onBlur(props.id, props.value)}
    />
  );
}

function TextareaWidget(props: WidgetProps) {
  return (
    <Input.TextArea
      {...common(props)}
      autoSize={{ minRows: 3, maxRows: 12 }}
      value={(props.value as string | undefined) ?? ''}
      onChange={(event) => props.onChange(event.target.value === '' ? props.options.emptyValue : event.target.value)}
    />
  );
}

function SelectWidget(props: WidgetProps) {
  const { t } = useTranslation();
  const options = (props.options.enumOptions ?? []).map((one, index) => ({ value: index, label: one.label, real: one.value as unknown }));
  const chosen = options.filter((one) => (props.multiple ? (props.value as unknown[] | undefined)?.includes(one.real) : one.real === props.value)).map((one) => one.value);
  return (
    <Select
      id={props.id}
      aria-describedby={describedBy(props.id, !!props.rawErrors?.length)}
      status={props.rawErrors?.length ? 'error' : undefined}
      disabled={props.disabled || props.readonly}
      mode={props.multiple ? 'multiple' : undefined}
      showSearch={options.length > 8 ? { optionFilterProp: 'label' } : false}
      allowClear={!props.required && !props.multiple && props.schema.default === undefined}
      placeholder={t('form.choose')}
      style={{ maxWidth: props.multiple ? undefined : 320, width: '100%' }}
      value={(props.multiple ? chosen : chosen[0]) as number | undefined}
      options={options}
      onChange={(value: number | number[] | undefined) =>
        props.onChange(
          Array.isArray(value) ? value.map((one) => options[one]?.real) : value === undefined ? undefined : options[value]?.real,
        )
      }
    />
  );
}

function CheckboxWidget(props: WidgetProps) {
  return (
    <Checkbox
      id={props.id}
      checked={props.value === true}
      disabled={props.disabled || props.readonly}
      aria-describedby={describedBy(props.id, !!props.rawErrors?.length)}
      onChange={(event) => props.onChange(event.target.checked)}
    >
      {props.label}
    </Checkbox>
  );
}

/** A secret: never shown; empty keeps what is saved. */
function SecretWidget(props: WidgetProps) {
  const { t } = useTranslation();
  const facts = props.registry.formContext as FormFacts;
  const pointer = pointerOf(props);
  const isSaved = facts.saved.has(pointer);
  const isCleared = facts.cleared.has(pointer);
  return (
    <div className="row">
      <Input
        {...common(props)}
        type="password"
        autoComplete="new-password"
        value={(props.value as string | undefined) ?? ''}
        placeholder={isCleared ? t('form.secretCleared') : isSaved ? t('form.secretSaved') : ''}
        onChange={(event) => {
          if (isCleared) facts.clear(pointer, false);
          props.onChange(event.target.value === '' ? undefined : event.target.value);
        }}
      />
      {isSaved && (
        <Button type="text" onClick={() => facts.clear(pointer, !isCleared)}>
          {isCleared ? t('form.secretKeep') : t('form.secretClear')}
        </Button>
      )}
    </div>
  );
}

function pointerOf(props: WidgetProps): string {
  return (props.options.pointer as string | undefined) ?? `/${props.name}`;
}

/** What is shown and not typed: an address to copy, a page to open, addresses to allow. */
export function DisplayField(props: FieldProps) {
  const { t } = useTranslation();
  const facts = props.registry.formContext as FormFacts;
  const kind = (props.schema as Record<string, unknown>)['x-display'] as string;
  const title = props.schema.title ?? props.name;
  const given = facts.display?.[props.name] ?? props.schema.default ?? props.schema.const;
  return (
    <div className="display">
      <div className="label">{title}</div>
      {kind === 'webhook-url' && <UrlToCopy url={facts.webhookUrl ?? ''} label={title} />}
      {kind === 'doc-link' && typeof given === 'string' && /^https:\/\//.test(given) && (
        <a href={given} target="_blank" rel="noopener noreferrer nofollow">
          {given} <Icon name="external" size={12} />
        </a>
      )}
      {kind === 'outbound-ips' && (
        <div className="stack tight">
          {(Array.isArray(given) ? given : [given]).filter(Boolean).map((ip) => (
            <code key={String(ip)}>{String(ip)}</code>
          ))}
          {!given && <span className="muted">{t('form.noOutboundIps')}</span>}
        </div>
      )}
      {kind === 'qr-login' && <span className="muted">{t('form.qrAfterSaving')}</span>}
      {props.schema.description && <div className="hint">{props.schema.description}</div>}
    </div>
  );
}

export function UrlToCopy(props: { url: string; label: string }) {
  const { t } = useTranslation();
  if (!props.url) return <span className="muted">{t('form.urlAfterSaving')}</span>;
  return (
    <div className="url">
      <code>{props.url}</code>
      <CopyButton text={props.url} label={t('do.copyThis', { what: props.label })} word={t('do.copy')} />
    </div>
  );
}

export const widgets: RegistryWidgetsType = {
  TextWidget,
  URLWidget: TextWidget,
  EmailWidget: TextWidget,
  PasswordWidget: SecretWidget,
  UpDownWidget: NumberWidget,
  TextareaWidget,
  SelectWidget,
  RadioWidget: SelectWidget,
  CheckboxesWidget: SelectWidget,
  CheckboxWidget,
  secret: SecretWidget,
  number: NumberWidget,
};
