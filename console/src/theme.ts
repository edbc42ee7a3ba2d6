// The look of Ant Design's parts, taken from the same tokens as our own CSS.
import type { ThemeConfig } from 'antd';
import { theme as antd } from 'antd';

export type Shade = 'light' | 'dark';
export type ThemeChoice = Shade | 'system';

const INK = {
  light: {
    colorPrimary: '#2f5bd7',
    colorInfo: '#2f5bd7',
    colorSuccess: '#1f7a45',
    colorWarning: '#8f5f00',
    colorError: '#b42323',
    colorText: '#1c2430',
    colorTextSecondary: '#4c5666',
    colorTextTertiary: '#5f6a7a',
    colorTextDescription: '#5f6a7a',
    colorTextPlaceholder: '#667080',
    colorTextDisabled: '#6b7483',
    colorBgBase: '#ffffff',
    colorBgLayout: '#f5f6f8',
    colorBorder: '#d3d7de',
    colorBorderSecondary: '#e6e8ec',
    colorLink: '#2f5bd7',
  },
  dark: {
    colorPrimary: '#7aa2f7',
    colorInfo: '#7aa2f7',
    colorSuccess: '#7bd19a',
    colorWarning: '#f0c36a',
    colorError: '#ff9a94',
    colorText: '#dfe3ea',
    colorTextSecondary: '#a3acba',
    colorTextTertiary: '#8e98a8',
    colorTextDescription: '#8e98a8',
    colorTextPlaceholder: '#8e98a8',
    colorTextDisabled: '#8e98a8',
    colorTextLightSolid: '#0f1216',
    colorBgBase: '#161a20',
    colorBgContainer: '#161a20',
    colorBgElevated: '#1b2027',
    colorBgLayout: '#0f1216',
    colorBorder: '#39424e',
    colorBorderSecondary: '#262c35',
    colorLink: '#7aa2f7',
  },
};

/** The reader's wish, told to their system, that things move less. */
export function wantsCalm(): MediaQueryList {
  return matchMedia('(prefers-reduced-motion: reduce)');
}

/** Return the theme of Ant Design for a shade; a calm one shows dialogs and drawers at once, where they stay. */
export function antdTheme(shade: Shade, isCalm: boolean): ThemeConfig {
  return {
    algorithm: shade === 'dark' ? antd.darkAlgorithm : antd.defaultAlgorithm,
    token: {
      ...INK[shade],
      fontFamily: 'inherit',
      fontSize: 13,
      controlHeight: 28,
      controlHeightSM: 24,
      borderRadius: 4,
      borderRadiusLG: 6,
      motion: !isCalm,
      motionDurationFast: '0.06s',
      motionDurationMid: '0.1s',
      motionDurationSlow: '0.12s',
      wireframe: false,
    },
    components: {
      Button: {
        primaryShadow: 'none',
        defaultShadow: 'none',
        dangerShadow: 'none',
        // The shade that Ant Design makes for a pointer over it is too pale to read on white.
        defaultHoverColor: INK[shade].colorPrimary,
        defaultHoverBorderColor: INK[shade].colorPrimary,
      },
      Drawer: { padding: 16, paddingLG: 16 },
      Modal: { titleFontSize: 14 },
    },
  };
}

const KEY = 'wunder.theme';

/** Return what the reader chose; the system's own choice where they did not. */
export function storedTheme(): ThemeChoice {
  const kept = localStorage.getItem(KEY);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

/** Keep a choice for the next visit. */
export function keepTheme(choice: ThemeChoice): void {
  localStorage.setItem(KEY, choice);
}

/** Follow what the reader chooses in another tab. Returns how to stop. */
export function whenThemed(act: (choice: ThemeChoice) => void): () => void {
  const onStorage = (event: StorageEvent) => {
    if (event.key === KEY) act(storedTheme());
  };
  window.addEventListener('storage', onStorage);
  return () => window.removeEventListener('storage', onStorage);
}

/** Return the shade that a choice means now. */
export function shadeOf(choice: ThemeChoice): Shade {
  if (choice !== 'system') return choice;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}
