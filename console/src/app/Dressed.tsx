// Ant Design's parts in the reader's shade and language.
import { ConfigProvider } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { partsIn, type Language } from '../i18n';
import { antdTheme } from '../theme';
import { useTheme } from './themeContext';

export function Dressed(props: { children: ReactNode }) {
  const { i18n } = useTranslation();
  const { shade, isCalm } = useTheme();
  return (
    <ConfigProvider
      theme={antdTheme(shade, isCalm)}
      // Always one: where it comes or goes, the provider builds the whole page anew, and what was typed is gone.
      locale={partsIn(i18n.language as Language)}
      componentSize="middle"
      wave={{ disabled: true }}
      button={{ autoInsertSpace: false }}
    >
      {props.children}
    </ConfigProvider>
  );
}
