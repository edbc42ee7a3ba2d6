// An address that leads nowhere.
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { BarePage } from '../components/Page';
import { Empty } from '../components/States';

export function NotFound() {
  const { t } = useTranslation();
  return (
    <BarePage title={t('notFound.title')}>
      <Empty icon="search" text={t('notFound.hint')} action={<Link to="/">{t('notFound.home')}</Link>} />
    </BarePage>
  );
}
