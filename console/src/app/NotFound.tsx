// An address that leads nowhere.
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { Empty } from '../components/States';

export function NotFound() {
  const { t } = useTranslation();
  return <Empty icon="search" text={t('notFound.title')} hint={t('notFound.hint')} action={<Link to="/">{t('notFound.home')}</Link>} />;
}
