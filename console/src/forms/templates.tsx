// How the parts of a schema's form look: labels above, faults below, advanced fields folded.
import type {
  ArrayFieldItemTemplateProps,
  ArrayFieldTemplateProps,
  FieldTemplateProps,
  MultiSchemaFieldTemplateProps,
  ObjectFieldTemplateProps,
  TemplatesType,
  WrapIfAdditionalTemplateProps,
} from '@rjsf/utils';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Icon } from '../components/Icon';

/** Ids of the texts that describe a control, for aria-describedby. */
export function describedBy(id: string, hasErrors: boolean): string {
  return hasErrors ? `${id}-fault ${id}-hint` : `${id}-hint`;
}

function FieldTemplate(props: FieldTemplateProps) {
  const { id, schema, rawErrors, rawDescription, hidden, displayLabel, label, required, children } = props;
  if (hidden) return <div hidden>{children}</div>;
  const isContainer = schema.type === 'object' || schema.type === 'array';
  const isCheck = schema.type === 'boolean' && !schema.oneOf && !schema.enum;
  // The root's own text is the page's.
  if (id === 'root') return children;
  return (
    <div className="field" data-field={id}>
      {displayLabel && !isCheck && !isContainer && (
        <label htmlFor={id}>
          {label}
          {required && (
            <span className="req" aria-hidden="true">
              *
            </span>
          )}
        </label>
      )}
      {children}
      {!!rawErrors?.length && (
        <div className="fault" id={`${id}-fault`} role="alert">
          {[...new Set(rawErrors)].join(' ')}
        </div>
      )}
      {rawDescription && !isContainer && (
        <div className="hint" id={`${id}-hint`}>
          {rawDescription}
        </div>
      )}
    </div>
  );
}

function ObjectFieldTemplate(props: ObjectFieldTemplateProps) {
  const { t } = useTranslation();
  const fields = (props.schema.properties ?? {}) as Record<string, Record<string, unknown> | undefined>;
  const isAdvanced = (name: string) => fields[name]?.['x-advanced'] === true;
  const shown = props.properties.filter((one) => !one.hidden);
  const basic = shown.filter((one) => !isAdvanced(one.name));
  const advanced = shown.filter((one) => isAdvanced(one.name));
  // A fault in the fold must not hide.
  const faulty = advanced.some((one) => Object.keys(props.errorSchema?.[one.name] ?? {}).length > 0);
  const body = (
    <div className="fields">
      {basic.map((one) => (
        <div key={one.name}>{one.content}</div>
      ))}
      {advanced.length > 0 && (
        <details className="advanced" open={faulty || undefined}>
          <summary>{t('form.advanced', { count: advanced.length })}</summary>
          <div className="fields">
            {advanced.map((one) => (
              <div key={one.name}>{one.content}</div>
            ))}
          </div>
        </details>
      )}
    </div>
  );
  if (props.fieldPathId.path.length === 0) return body;
  return (
    <fieldset className="group">
      <legend>{props.title}</legend>
      {props.schema.description && <p className="hint">{props.schema.description}</p>}
      {body}
    </fieldset>
  );
}

function ArrayFieldTemplate(props: ArrayFieldTemplateProps) {
  const { t } = useTranslation();
  return (
    <fieldset className="group">
      <legend>{props.title}</legend>
      {props.schema.description && <p className="hint">{props.schema.description}</p>}
      <div className="fields">
        {props.items}
        {props.canAdd && (
          <div>
            <Button size="small" icon={<Icon name="plus" size={14} />} onClick={props.onAddClick}>
              {t('form.add')}
            </Button>
          </div>
        )}
      </div>
    </fieldset>
  );
}

function ArrayFieldItemTemplate(props: ArrayFieldItemTemplateProps) {
  const { t } = useTranslation();
  return (
    <div className="item">
      <div className="grow">{props.children}</div>
      {props.buttonsProps.hasRemove && (
        <button
          type="button"
          className="icon-button"
          aria-label={t('form.remove', { index: props.index + 1 })}
          disabled={props.disabled || props.readonly}
          onClick={props.buttonsProps.onRemoveItem}
        >
          <Icon name="close" size={14} />
        </button>
      )}
    </div>
  );
}

function MultiSchemaFieldTemplate(props: MultiSchemaFieldTemplateProps) {
  return (
    <div className="fields">
      {props.selector}
      {props.optionSchemaField}
    </div>
  );
}

const Nothing = () => null;

export const templates: Partial<TemplatesType> = {
  FieldTemplate,
  ObjectFieldTemplate,
  ArrayFieldTemplate,
  ArrayFieldItemTemplate,
  MultiSchemaFieldTemplate,
  // Texts and faults are drawn by FieldTemplate, in one place for all kinds of fields.
  FieldErrorTemplate: Nothing,
  FieldHelpTemplate: Nothing,
  DescriptionFieldTemplate: Nothing,
  TitleFieldTemplate: Nothing,
  ErrorListTemplate: Nothing,
  ArrayFieldDescriptionTemplate: Nothing,
  ArrayFieldTitleTemplate: Nothing,
  WrapIfAdditionalTemplate: (props: WrapIfAdditionalTemplateProps) => <>{props.children}</>,
};
