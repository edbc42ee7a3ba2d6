// The frame of a page: its title, what can be done, and cards below.
import { useEffect, type ReactNode } from 'react';

export function Page(props: { title: string; lead?: ReactNode; actions?: ReactNode; children: ReactNode; bare?: boolean }) {
  useEffect(() => {
    document.title = `${props.title} · Wunder Channels`;
  }, [props.title]);
  return (
    <div className="page">
      <header className={props.bare ? 'visually-hidden' : undefined}>
        <div className="crumbs">
          {props.lead}
          <h1>{props.title}</h1>
        </div>
        {props.actions}
      </header>
      {props.children}
    </div>
  );
}

export function Card(props: { title?: ReactNode; actions?: ReactNode; children: ReactNode; flush?: boolean; className?: string; id?: string }) {
  return (
    <section className={props.className ? `card ${props.className}` : 'card'} id={props.id}>
      {props.title && (
        <header>
          <h2>{props.title}</h2>
          {props.actions}
        </header>
      )}
      {props.flush ? props.children : <div className="body">{props.children}</div>}
    </section>
  );
}

export function Monogram(props: { name: string; big?: boolean }) {
  const first = [...props.name.trim()][0] ?? '?';
  return (
    <span className={props.big ? 'monogram big' : 'monogram'} aria-hidden="true">
      {first.toUpperCase()}
    </span>
  );
}
