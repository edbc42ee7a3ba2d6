// A page that could not be shown: asked for again by hand, or by itself once there is a network again.
import { useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { useCallback, useEffect } from 'react';
import { Failed } from '../components/States';
import { isOutdated, loadAnew } from './fetched';

export function NotLoaded(props: ErrorComponentProps) {
  const { error, reset } = props;
  const router = useRouter();
  const isOld = isOutdated(error);
  const retry = useCallback(async () => {
    if (isOld) return location.reload();
    await router.invalidate();
    reset();
  }, [isOld, router, reset]);
  useEffect(() => {
    if (isOld) loadAnew();
    const again = () => void retry();
    window.addEventListener('online', again);
    return () => window.removeEventListener('online', again);
  }, [isOld, retry]);
  return <Failed error={error} retry={() => void retry()} />;
}
