// Asking before something is lost: what it touches, and the name typed where it cannot be undone.
import { Button, Input } from 'antd';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from './Dialog';
import { Field } from './Field';
import { Failed } from './States';

export interface ConfirmProps {
  title: string;
  children?: ReactNode;
  /** What has to be typed; absent: a press is enough. */
  typed?: string;
  action: string;
  danger?: boolean;
  disabled?: boolean;
  run: () => Promise<unknown>;
  close: () => void;
}

export function Confirm(props: ConfirmProps) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const ready = (!props.typed || text.trim() === props.typed) && !props.disabled;
  const run = async () => {
    if (!ready || busy) return;
    setBusy(true);
    setError(null);
    try {
      await props.run();
      props.close();
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      title={props.title}
      onCancel={props.close}
      destroyOnHidden
      width={480}
      footer={
        <div className="row end">
          <Button onClick={props.close}>{t('do.cancel')}</Button>
          <Button type="primary" danger={props.danger} disabled={!ready} loading={busy} onClick={run}>
            {props.action}
          </Button>
        </div>
      }
    >
      <div className="stack">
        {props.children}
        {props.typed && (
          <Field label={t('confirm.type', { what: props.typed })}>
            <Input
              autoFocus
              autoComplete="off"
              spellCheck={false}
              value={text}
              onChange={(event) => setText(event.target.value)}
              onPressEnter={run}
            />
          </Field>
        )}
        {error !== null && <Failed error={error} compact />}
      </div>
    </Dialog>
  );
}
