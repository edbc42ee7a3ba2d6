// A panel at the side that leaves the list usable; Esc closes it and the focus goes back.
import { useEffect, useRef, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from './Icon';
import './panel.css';

export function Panel(props: { title: ReactNode; label: string; close: () => void; actions?: ReactNode; children: ReactNode; width?: number }) {
  const { t } = useTranslation();
  const panel = useRef<HTMLElement>(null);
  const close = useRef(props.close);
  close.current = props.close;
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    panel.current?.focus();
    const onKey = (event: KeyboardEvent) => {
      // A dialog above the panel takes Esc for itself.
      if (event.key === 'Escape' && !document.querySelector('.ant-modal-wrap:not([style*="none"]), .ant-dropdown:not(.ant-dropdown-hidden)')) close.current();
    };
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('keydown', onKey);
      before?.focus?.();
    };
  }, []);
  return (
    <aside
      ref={panel}
      className="panel"
      role="dialog"
      aria-modal="false"
      aria-label={props.label}
      tabIndex={-1}
      style={{ width: props.width ?? 560 }}
    >
      <header>
        <h2 className="grow truncate">{props.title}</h2>
        {props.actions}
        <button type="button" className="icon-button" onClick={props.close} aria-label={t('do.close')} title={`${t('do.close')} (Esc)`}>
          <Icon name="close" />
        </button>
      </header>
      <div className="body">{props.children}</div>
    </aside>
  );
}
