// A button that opens a list of actions: arrows move, Esc closes, the focus goes back.
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import './menu.css';

export interface MenuItem {
  key: string;
  label: ReactNode;
  run: () => void;
  danger?: boolean;
  /** Why it cannot be done now; the item is shown and says so. */
  blocked?: string;
  checked?: boolean;
  /** Switches something: several may be on, and the menu stays open. */
  stays?: boolean;
}

export function Menu(props: { label: string; items: (MenuItem | 'line')[]; children: ReactNode; className?: string; head?: ReactNode }) {
  const id = useId();
  const [place, setPlace] = useState<{ top: number; right: number } | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const close = (focus: boolean) => {
    setPlace(null);
    if (focus) button.current?.focus();
  };
  useEffect(() => {
    if (!place) return;
    list.current?.querySelector<HTMLElement>('[role^="menuitem"]')?.focus();
    const away = (event: Event) => {
      if (!list.current?.contains(event.target as Node) && !button.current?.contains(event.target as Node)) setPlace(null);
    };
    // Only what carries the button away from its menu closes it, not a list that scrolls elsewhere.
    const moved = (event: Event) => {
      if ((event.target as Node).contains(button.current)) setPlace(null);
    };
    document.addEventListener('pointerdown', away);
    window.addEventListener('scroll', moved, true);
    window.addEventListener('resize', away);
    return () => {
      document.removeEventListener('pointerdown', away);
      window.removeEventListener('scroll', moved, true);
      window.removeEventListener('resize', away);
    };
  }, [place]);
  const open = () => {
    const box = button.current?.getBoundingClientRect();
    if (box) setPlace({ top: box.bottom + 4, right: Math.max(8, document.documentElement.clientWidth - box.right) });
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Escape' || event.key === 'Tab') {
      event.stopPropagation();
      if (event.key === 'Escape') event.preventDefault();
      return close(event.key === 'Escape');
    }
    const step = { ArrowDown: 1, ArrowUp: -1, Home: 'first', End: 'last' }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...(list.current?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const next = step === 'first' ? 0 : step === 'last' ? all.length - 1 : (at + (step as number) + all.length) % all.length;
    all[next]?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className={props.className ?? 'icon-button'}
        aria-label={props.label}
        title={props.label}
        aria-haspopup="menu"
        aria-expanded={place !== null}
        aria-controls={place ? id : undefined}
        onClick={(event) => {
          event.stopPropagation();
          if (place) close(false);
          else open();
        }}
      >
        {props.children}
      </button>
      {place &&
        createPortal(
          <div
            ref={list}
            className="menu"
            style={place}
            onKeyDown={onKey}
            // A menu in a table row must not open the row.
            onClick={(event) => event.stopPropagation()}
          >
            {props.head}
            <div id={id} role="menu" aria-label={props.label}>
            {props.items.map((item, index) =>
              item === 'line' ? (
                <hr key={`line-${index}`} />
              ) : (
                <button
                  key={item.key}
                  type="button"
                  role={item.checked === undefined ? 'menuitem' : item.stays ? 'menuitemcheckbox' : 'menuitemradio'}
                  aria-checked={item.checked}
                  aria-disabled={item.blocked ? true : undefined}
                  aria-describedby={item.blocked ? `${id}-${item.key}-why` : undefined}
                  tabIndex={-1}
                  className={item.danger ? 'danger' : undefined}
                  onClick={() => {
                    if (item.blocked) return;
                    if (!item.stays) close(true);
                    item.run();
                  }}
                >
                  <span className="tick" aria-hidden="true">{item.checked ? '✓' : ''}</span>
                  {item.label}
                  {item.blocked && (
                    // Read as what describes the item, not as a part of its name.
                    <span className="why" id={`${id}-${item.key}-why`} aria-hidden="true">
                      {item.blocked}
                    </span>
                  )}
                </button>
              ),
            )}
            </div>
          </div>,
          document.body,
        )}
    </>
  );
}
