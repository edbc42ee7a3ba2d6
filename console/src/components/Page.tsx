// The frame of a page: its title, what can be done, and cards below.
import { useEffect, useRef, type ReactNode } from 'react';
import { arriveAt } from './arrival';

export function Page(props: { title: string; lead?: ReactNode; actions?: ReactNode; children: ReactNode; bare?: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${props.title} · Wunder Channels`;
    arriveAt(heading.current);
  }, [props.title]);
  return (
    <div className="page">
      <header className={props.bare ? 'visually-hidden' : undefined}>
        <div className="crumbs">
          {props.lead}
          <h1 ref={heading} tabIndex={-1}>
            {props.title}
          </h1>
        </div>
        {props.actions}
      </header>
      {props.children}
    </div>
  );
}

/** A page that the reader's role does not reach, or that is not there: it has a name all the same. */
export function BarePage(props: { title: string; children: ReactNode }) {
  return (
    <Page title={props.title}>
      <Card flush>{props.children}</Card>
    </Page>
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
