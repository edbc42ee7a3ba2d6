// One labelled input of a small form, with hint and fault tied to it for screen readers.
import { cloneElement, useId, type ReactElement, type ReactNode } from 'react';

interface Control {
  id?: string;
  'aria-describedby'?: string;
  'aria-invalid'?: boolean | 'true' | 'false';
  status?: string;
}

export function Field(props: { label: ReactNode; hint?: ReactNode; fault?: string; required?: boolean; children: ReactElement<Control> }) {
  const id = useId();
  const notes = [props.hint && `${id}-hint`, props.fault && `${id}-fault`].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label htmlFor={id}>
        {props.label}
        {props.required && (
          <span className="req" aria-hidden="true">
            *
          </span>
        )}
      </label>
      {cloneElement(props.children, {
        id,
        'aria-describedby': notes || undefined,
        'aria-invalid': props.fault ? 'true' : undefined,
        ...(props.fault ? { status: 'error' } : {}),
      })}
      {props.fault && (
        <div className="fault" id={`${id}-fault`} role="alert">
          {props.fault}
        </div>
      )}
      {props.hint && (
        <div className="hint" id={`${id}-hint`}>
          {props.hint}
        </div>
      )}
    </div>
  );
}
