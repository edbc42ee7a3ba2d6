// The frame of the pages before sign-in.
import type { ReactNode } from 'react';
import { LanguageButton, ThemeMenu } from '../../app/Shell';
import './auth.css';

export function AuthFrame(props: { title: string; lead?: ReactNode; children: ReactNode }) {
  return (
    <div className="auth">
      <div className="auth-top">
        <LanguageButton />
        <ThemeMenu />
      </div>
      <main className="auth-card">
        <img src={`${import.meta.env.BASE_URL}mark.svg`} alt="" width="40" height="40" />
        <h1>{props.title}</h1>
        {props.lead && <div className="second">{props.lead}</div>}
        {props.children}
      </main>
    </div>
  );
}
