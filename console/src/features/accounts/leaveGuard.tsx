// Asks before what was typed is lost: on leaving the page, on signing out, and on closing the tab.
import { useBlocker } from '@tanstack/react-router';
import { Button } from 'antd';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { whoTypes } from '../../app/typed';
import { Dialog } from '../../components/Dialog';

/** Guard a page while `isDirty`. `allow` lets the next step pass; `dialog` is to be drawn. */
export function useLeaveGuard(isDirty: boolean): { allow: () => void; dialog: ReactNode } {
  const { t } = useTranslation();
  const isAllowed = useRef(false);
  const [answer, setAnswer] = useState<((may: boolean) => void) | null>(null);
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => isDirty && !isAllowed.current && current.pathname !== next.pathname,
    enableBeforeUnload: () => isDirty && !isAllowed.current,
    withResolver: true,
  });
  useEffect(() => {
    if (!isDirty) return;
    return whoTypes(() => (isAllowed.current ? Promise.resolve(true) : new Promise((resolve) => setAnswer(() => resolve))));
  }, [isDirty]);
  const end = (may: boolean) => {
    answer?.(may);
    setAnswer(null);
    if (blocker.status !== 'blocked') return;
    if (may) blocker.proceed();
    else blocker.reset();
  };
  const dialog =
    answer || blocker.status === 'blocked' ? (
      <Dialog
        open
        title={t('leave.title')}
        onCancel={() => end(false)}
        width={400}
        footer={
          <div className="row end">
            <Button danger onClick={() => end(true)}>
              {t('leave.discard')}
            </Button>
            <Button type="primary" onClick={() => end(false)}>
              {t('leave.stay')}
            </Button>
          </div>
        }
      >
        {t('leave.text')}
      </Dialog>
    ) : null;
  return {
    allow: () => {
      isAllowed.current = true;
    },
    dialog,
  };
}
