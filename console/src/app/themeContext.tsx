// Light, dark or as the system is, kept for the next visit; and whether things may move.
import { createContext, use, useEffect, useState, type ReactNode } from 'react';
import { keepTheme, shadeOf, storedTheme, wantsCalm, whenThemed, type Shade, type ThemeChoice } from '../theme';

interface Theme {
  choice: ThemeChoice;
  shade: Shade;
  /** The reader asked their system for less motion. */
  isCalm: boolean;
  choose: (choice: ThemeChoice) => void;
}

const Current = createContext<Theme | null>(null);

export function ThemeProvider(props: { children: ReactNode }) {
  const [choice, setChoice] = useState(storedTheme);
  const [shade, setShade] = useState(() => shadeOf(choice));
  useEffect(() => {
    const apply = () => {
      const next = shadeOf(choice);
      document.documentElement.dataset.theme = next;
      setShade(next);
    };
    apply();
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', apply);
    return () => system.removeEventListener('change', apply);
  }, [choice]);
  useEffect(() => whenThemed(setChoice), []);
  const [isCalm, setCalm] = useState(() => wantsCalm().matches);
  useEffect(() => {
    const system = wantsCalm();
    const apply = () => setCalm(system.matches);
    system.addEventListener('change', apply);
    return () => system.removeEventListener('change', apply);
  }, []);
  const choose = (next: ThemeChoice) => {
    keepTheme(next);
    setChoice(next);
  };
  return <Current value={{ choice, shade, isCalm, choose }}>{props.children}</Current>;
}

export function useTheme(): Theme {
  const theme = use(Current);
  if (!theme) throw new Error('There is no theme above this part.');
  return theme;
}
