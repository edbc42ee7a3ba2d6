// Tabs inside a page; which one is open stands in the address.
import type { ReactNode } from 'react';
import { useAddress } from '../app/address';

export interface Tab {
  key: string;
  title: ReactNode;
  body: () => ReactNode;
  /** Something may be typed in it: it stays as it is while another one is open. */
  stays?: boolean;
}

export function Tabs(props: { label: string; tabs: Tab[] }) {
  const [search, change] = useAddress();
  const open = props.tabs.find((one) => one.key === search.tab) ?? props.tabs[0];
  const step = (by: number) => {
    const at = props.tabs.findIndex((one) => one.key === open?.key);
    const next = props.tabs[(at + by + props.tabs.length) % props.tabs.length];
    if (!next) return;
    change({ tab: next.key }, { replace: true });
    document.getElementById(`tab-${next.key}`)?.focus();
  };
  return (
    <div className="card">
      <div
        className="tabs"
        role="tablist"
        aria-label={props.label}
        style={{ borderRadius: '6px 6px 0 0' }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowRight') step(1);
          if (event.key === 'ArrowLeft') step(-1);
        }}
      >
        {props.tabs.map((one) => (
          <button
            key={one.key}
            id={`tab-${one.key}`}
            type="button"
            role="tab"
            aria-selected={one.key === open?.key}
            aria-controls={`tab-body-${one.key}`}
            tabIndex={one.key === open?.key ? 0 : -1}
            onClick={() => change({ tab: one.key }, { replace: true })}
          >
            {one.title}
          </button>
        ))}
      </div>
      {props.tabs.map((one) => (
        <div key={one.key} id={`tab-body-${one.key}`} role="tabpanel" aria-labelledby={`tab-${one.key}`} hidden={one.key !== open?.key}>
          {(one.stays || one.key === open?.key) && one.body()}
        </div>
      ))}
    </div>
  );
}
